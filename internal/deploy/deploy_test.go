package deploy

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"larder/internal/module"
)

func TestGeneratedTokensAreTaken(t *testing.T) {
	form := regexp.MustCompile(`^[A-Za-z0-9!&#$^<>-]+$`) // limits of AuthToken in CreateReplicationGroup
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.IntRange(16, 128).Draw(t, "length")
		token, err := generateToken(length)
		if err != nil || len(token) != length || !form.MatchString(string(token)) {
			t.Fatalf("%d characters, %v", len(token), err)
		}
		if kept, err := tokenOf(module.SecretString(string(token))); err != nil || kept != token {
			t.Fatalf("the secret gives back another token: %v", err)
		}
	})
	for _, text := range []string{"", "{}", `{"auth_token": ""}`, `"x"`} {
		if _, err := tokenOf(text); err == nil {
			t.Errorf("%q holds a token", text)
		}
	}
}

func TestServiceOf(t *testing.T) {
	for resource, want := range map[string]string{
		"arn:aws:elasticache:us-east-1:000000000000:replicationgroup:x":   "elasticache",
		"arn:aws:secretsmanager:us-east-1:000000000000:secret:a/b-AbCdEf": "secretsmanager",
		"vpc-0000000a": "ec2", "sgr-0123456789abcdef0": "ec2",
	} {
		if got := serviceOf(resource); got != want {
			t.Errorf("%s is of %s, want %s", resource, got, want)
		}
	}
}

// A log group that is to be kept is not the deployment's to delete.
func TestWantedWithoutWhatIsKept(t *testing.T) {
	id, slow, engine := "shop-dev-redis", "/x/slow-log", "/x/engine-log"
	got := wanted(module.Resources{
		ReplicationGroup: &elasticache.CreateReplicationGroupInput{ReplicationGroupId: &id},
		LogGroups: []module.LogGroup{
			{Create: &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &slow}, Keep: true},
			{Create: &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &engine}},
		},
	})
	if diff := cmp.Diff([]Resource{{Kind: logGroupKind, Name: engine}, {Kind: replicationGroupKind, Name: id}},
		got); diff != "" {
		t.Errorf("wanted (-want +got):\n%s", diff)
	}
}

func TestWithout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		resource := rapid.Custom(func(t *rapid.T) Resource {
			return Resource{Kind: rapid.SampledFrom([]string{"alarm", "topic"}).Draw(t, "kind"),
				Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")}
		})
		all, others := rapid.SliceOf(resource).Draw(t, "all"), rapid.SliceOf(resource).Draw(t, "others")
		rest := Without(all, others)
		for _, r := range all {
			if slices.Contains(rest, r) == slices.Contains(others, r) {
				t.Fatalf("%v without %v is %v", all, others, rest)
			}
		}
	})
}

// Every kind that is made can be deleted, and only once.
func TestKindsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range slices.Concat(stages()...) {
		if seen[k.name()] {
			t.Errorf("the kind %s is there twice", k.name())
		}
		seen[k.name()] = true
	}
}

// One step that fails does not break off the others: of a request that is broken off nobody knows what it made.
func TestRunConcurrentlyGoesToTheEnd(t *testing.T) {
	failed, ended := make(chan struct{}), false
	err := runConcurrently(
		func(context.Context) error { close(failed); return errors.New("no") },
		func(ctx context.Context) error { <-failed; ended = ctx.Err() == nil; return nil },
	)(t.Context())
	if err == nil || !ended {
		t.Errorf("error %v, the other step went to its end: %v", err, ended)
	}
}
