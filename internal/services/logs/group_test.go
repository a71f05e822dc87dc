//lint:file-ignore SA1019 The older generation of the tag actions is served too.

package logs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"larder/internal/servicetest"
	"larder/internal/testkit"
)

var plain = cmpopts.IgnoreUnexported(types.LogGroup{}, types.ResourcePolicy{})

func TestLogGroupLife(t *testing.T) {
	s := newServer(t)
	const name = "/aws/elasticache/uex-prod/slow"
	must(s.CreateLogGroup(t.Context(), &sdk.CreateLogGroupInput{
		LogGroupName: new(name), KmsKeyId: new(key), LogGroupClass: types.LogGroupClassStandard,
		Tags: map[string]string{"team": "payments"},
	}))(t)
	want := types.LogGroup{
		LogGroupName: new(name), LogGroupArn: new(prefix + name), Arn: new(prefix + name + ":*"),
		CreationTime: new(s.now.UnixMilli()),
		KmsKeyId:     new(key), LogGroupClass: types.LogGroupClassStandard, MetricFilterCount: new(int32(0)),
		StoredBytes:               new(int64(0)),
		DeletionProtectionEnabled: new(false),
	}
	check := func(when string) {
		t.Helper()
		got := must(s.DescribeLogGroups(t.Context(),
			&sdk.DescribeLogGroupsInput{LogGroupNamePrefix: new(name)}))(t).LogGroups
		if diff := cmp.Diff([]types.LogGroup{want}, got, plain); diff != "" {
			t.Errorf("%s: -want +got\n%s", when, diff)
		}
	}
	check("created")
	must(s.PutRetentionPolicy(t.Context(),
		&sdk.PutRetentionPolicyInput{LogGroupName: new(name), RetentionInDays: new(int32(30))}))(t)
	must(s.DisassociateKmsKey(t.Context(), &sdk.DisassociateKmsKeyInput{LogGroupName: new(name)}))(t)
	want.RetentionInDays, want.KmsKeyId = new(int32(30)), nil
	check("kept for a month")
	must(s.DeleteRetentionPolicy(t.Context(), &sdk.DeleteRetentionPolicyInput{LogGroupName: new(name)}))(t)
	must(s.AssociateKmsKey(t.Context(),
		&sdk.AssociateKmsKeyInput{ResourceIdentifier: new(prefix + name), KmsKeyId: new(key)}))(t)
	want.RetentionInDays, want.KmsKeyId = nil, new(key)
	check("kept for ever")
	must(s.DisassociateKmsKey(t.Context(),
		&sdk.DisassociateKmsKeyInput{ResourceIdentifier: new(prefix + name + ":*")}))(t)
	want.KmsKeyId = nil
	check("without a key")
	if !s.logs.HasLogGroup(name) || s.logs.HasLogGroup("other") {
		t.Error("HasLogGroup is mistaken")
	}
	must(s.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: new(name)}))(t)
	_, err := s.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: new(name)})
	servicetest.WantError(t, err, "ResourceNotFoundException", "The specified log group does not exist.")
}

// TestAGroupIsGoneWhoseFilesAreLeft: the answer says that the group is gone, which it is; its files go later.
func TestAGroupIsGoneWhoseFilesAreLeft(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	s.createStream(t, "mine", "stream")
	s.put(t, "mine", "stream", "text")
	files := must(filepath.Glob(filepath.Join(s.dir, "*")))(t)
	kept := filepath.Join(files[0], "kept")
	if err := os.Mkdir(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("larder-test", kept, "tmpfs", 0, ""); errors.Is(err, unix.EPERM) {
		testkit.Missing(t, "this user may not mount a file system")
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(kept, unix.MNT_DETACH) }) // where the test fails before it does
	must(s.DeleteLogGroup(t.Context(), &sdk.DeleteLogGroupInput{LogGroupName: new("mine")}))(t)
	if len(s.failed) != 1 || !errors.Is(s.failed[0], unix.EBUSY) {
		t.Errorf("told: %v", s.failed)
	}
	if s.logs.HasLogGroup("mine") {
		t.Error("the group is there")
	}
	if err := s.logs.Keep(); !errors.Is(err, unix.EBUSY) {
		t.Errorf("while the files cannot go: %v", err)
	}
	if err := unix.Unmount(kept, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.logs.Keep(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(files[0]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its files are left: %v", err)
	}
}

func TestDescribeLogGroups(t *testing.T) {
	s := newServer(t)
	var all []string
	for i := range 7 {
		all = append(all, fmt.Sprintf("/aws/cache-%d/slow", i))
	}
	all = append(all, "other")
	for _, name := range slices.Backward(all) {
		s.create(t, name)
	}
	for _, test := range []struct {
		what string
		in   sdk.DescribeLogGroupsInput
		want []string
	}{
		{"all, by threes", sdk.DescribeLogGroupsInput{Limit: new(int32(3))}, all},
		{"a prefix", sdk.DescribeLogGroupsInput{LogGroupNamePrefix: new("/aws/"), Limit: new(int32(7))}, all[:7]},
		{"a pattern", sdk.DescribeLogGroupsInput{LogGroupNamePattern: new("cache-3")}, all[3:4]},
		{"names", sdk.DescribeLogGroupsInput{LogGroupIdentifiers: []string{"other", prefix + all[2], "none"}},
			[]string{all[2], "other"}},
		{"none", sdk.DescribeLogGroupsInput{LogGroupNamePrefix: new("z")}, nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			var got []string
			pages := sdk.NewDescribeLogGroupsPaginator(s, &test.in)
			for pages.HasMorePages() {
				for _, g := range must(pages.NextPage(t.Context()))(t).LogGroups {
					got = append(got, *g.LogGroupName)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Both generations of the tag actions are about the same tags.
func TestTags(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	name, arn := new("mine"), new(prefix+"mine")
	must(s.TagLogGroup(t.Context(),
		&sdk.TagLogGroupInput{LogGroupName: name, Tags: map[string]string{"a": "1", "b": "2", "c": "3"}}))(t)
	must(s.TagResource(t.Context(),
		&sdk.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "4", "d": ""}}))(t)
	must(s.UntagLogGroup(t.Context(), &sdk.UntagLogGroupInput{LogGroupName: name, Tags: []string{"b"}}))(t)
	must(s.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"c", "unknown"}}))(t)
	want := map[string]string{"a": "4", "d": ""}
	for _, got := range []map[string]string{
		must(s.ListTagsLogGroup(t.Context(), &sdk.ListTagsLogGroupInput{LogGroupName: name}))(t).Tags,
		must(s.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: arn}))(t).Tags,
	} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	tag := func(arn string, tags map[string]string) error {
		_, err := s.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: &arn, Tags: tags})
		return err
	}
	many := map[string]string{}
	for i := range 49 {
		many[fmt.Sprint("key-", i)] = ""
	}
	const parameter, none = "InvalidParameterException", "The specified log group does not exist."
	servicetest.WantError(t, tag(*arn, many), "TooManyTagsException",
		"The log group would have 51 tags. A log group can have at most 50.")
	servicetest.WantError(t, tag(*arn+":*", want), parameter,
		"1 validation error detected: Value '"+*arn+":*' at 'resourceArn' "+
			`failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=/:,.@-]*`)
	servicetest.WantError(t, tag(prefix+"other", want), "ResourceNotFoundException", none)
	servicetest.WantError(t, tag("mine", want), parameter,
		"mine is not the ARN of a log group of account 123456789012 in us-east-1")
	servicetest.WantError(t, tag(*arn+":log-stream:x", want), parameter,
		*arn+":log-stream:x is not the ARN of a log group of account 123456789012 in us-east-1")
	for message, bad := range map[string]map[string]string{
		`The tag key "aws:x" must not begin with aws:, which is kept for AWS's own tags`: {"aws:x": ""},
		`The tag key "" must have 1 to 128 characters`:                                   {"": "x"},
		`The value of the tag "k" must have at most 256 characters`: {"k": strings.Repeat("v",
			257)},
	} {
		servicetest.WantError(t, tag(*arn, bad), parameter, message)
	}
	_, err := s.ListTagsLogGroup(t.Context(), &sdk.ListTagsLogGroupInput{LogGroupName: new("other")})
	servicetest.WantError(t, err, "ResourceNotFoundException", none)
}

func TestLogGroupRefusals(t *testing.T) {
	s := newServer(t)
	s.create(t, "mine")
	create := func(in sdk.CreateLogGroupInput) error { _, err := s.CreateLogGroup(t.Context(), &in); return err }
	retain := func(name string, days int32) error {
		_, err := s.PutRetentionPolicy(t.Context(),
			&sdk.PutRetentionPolicyInput{LogGroupName: &name, RetentionInDays: &days})
		return err
	}
	associate := func(in sdk.AssociateKmsKeyInput) error { _, err := s.AssociateKmsKey(t.Context(), &in); return err }
	describe := func(in sdk.DescribeLogGroupsInput) error {
		_,
			err := s.DescribeLogGroups(t.Context(), &in)
		return err
	}
	_, querying := s.StartQuery(t.Context(), &sdk.StartQueryInput{
		LogGroupName: new("mine"), QueryString: new("fields @message"), StartTime: new(int64(1)),
		EndTime: new(int64(2)),
	})
	long := strings.Repeat("a", 513)
	const (
		parameter, validation = "InvalidParameterException", "ValidationException"
		constraint            = "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must %s"
		// hashicorp/terraform-provider-aws issue 29282: a key that is not there, or that Logs may not use.
		noKey = "The specified KMS key does not exist or is not allowed to be used with Arn " +
			"'arn:aws:logs:us-east-1:123456789012:log-group:%s'"
		// aws-samples/hub-and-spoke-with-inspection-vpc-terraform pull request 2: a key's id, where its ARN is wanted.
		noARN = "The specified KMS Key Id could not be found."
		one   = "Exactly one of logGroupName and resourceIdentifier must be given"
	)
	for _, test := range []struct {
		what          string
		err           error
		code, message string
	}{
		{"taken", create(sdk.CreateLogGroupInput{LogGroupName: new("mine")}), "ResourceAlreadyExistsException",
			"The specified log group already exists"},
		{"name", create(sdk.CreateLogGroupInput{LogGroupName: new("a b")}), parameter,
			fmt.Sprintf(constraint, "a b", "logGroupName", `satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`)},
		{"long name", create(sdk.CreateLogGroupInput{LogGroupName: &long}), parameter,
			"Invalid LogGroup or LogStream, both must have length less than or equal to 512."},
		{"key", create(sdk.CreateLogGroupInput{LogGroupName: new("new"), KmsKeyId: new(key + "2")}),
			"AccessDeniedException", fmt.Sprintf(noKey, "new")},
		{"class", create(sdk.CreateLogGroupInput{LogGroupName: new("new"),
			LogGroupClass: types.LogGroupClassInfrequentAccess}), validation,
			"larder serves CreateLogGroup's LogGroupClass only as STANDARD: larder keeps all events alike"},
		{"protection", create(sdk.CreateLogGroupInput{LogGroupName: new("new"), DeletionProtectionEnabled: new(true)}),
			validation,
			"larder serves CreateLogGroup's DeletionProtectionEnabled only as false: it could not be taken back: " +
				"PutLogGroupDeletionProtection is not served"},
		{"tag", create(sdk.CreateLogGroupInput{LogGroupName: new("new"), Tags: map[string]string{"aws:x": ""}}),
			parameter,
			`The tag key "aws:x" must not begin with aws:, which is kept for AWS's own tags`},
		{"retention", retain("mine", 2), parameter,
			fmt.Sprintf(constraint, "2", "retentionInDays", "satisfy enum value set: "+
				"[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, "+
				"3288, 3653]")},
		{"retention of none", retain("other", 1), "ResourceNotFoundException",
			"The specified log group does not exist."},
		{"associate", associate(sdk.AssociateKmsKeyInput{LogGroupName: new("mine"), KmsKeyId: new("1")}), parameter,
			noARN},
		{"associate another's", associate(sdk.AssociateKmsKeyInput{LogGroupName: new("mine"), KmsKeyId: new(key + "2")}),
			"AccessDeniedException", fmt.Sprintf(noKey, "mine")},
		{"associate nothing", associate(sdk.AssociateKmsKeyInput{KmsKeyId: new(key)}), parameter, one},
		{"associate twice", associate(sdk.AssociateKmsKeyInput{KmsKeyId: new(key), LogGroupName: new("mine"),
			ResourceIdentifier: new("x")}), parameter, one},
		{"query results", associate(sdk.AssociateKmsKeyInput{KmsKeyId: new(key),
			ResourceIdentifier: new("arn:aws:logs:us-east-1:123456789012:query-result:*")}),
			parameter, "arn:aws:logs:us-east-1:123456789012:query-result:* is not the ARN of a log group of account " +
				"123456789012 in us-east-1"},
		{"prefix and pattern", describe(sdk.DescribeLogGroupsInput{LogGroupNamePattern: new("a"),
			LogGroupNamePrefix: new("b")}), parameter,
			"LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."},
		{"many identifiers", describe(sdk.DescribeLogGroupsInput{LogGroupIdentifiers: slices.Repeat([]string{"mine"},
			51)}), parameter,
			fmt.Sprintf(constraint, "["+strings.Repeat("mine, ", 50)+"mine]", "logGroupIdentifiers",
				"have length less than or equal to 50")},
		{"limit", describe(sdk.DescribeLogGroupsInput{Limit: new(int32(51))}), parameter,
			fmt.Sprintf(constraint, "51", "limit", "have value less than or equal to 50")},
		{"token", describe(sdk.DescribeLogGroupsInput{NextToken: new("%")}), parameter,
			"The specified nextToken is invalid."},
		{"accounts", describe(sdk.DescribeLogGroupsInput{AccountIdentifiers: []string{"999999999999"}}), validation,
			"larder does not serve DescribeLogGroups's AccountIdentifiers: larder is one account"},
		{"queries", querying, "UnknownOperationException",
			"larder does not serve logs:StartQuery; docs/COMPATIBILITY.md lists what it serves"},
	} {
		t.Run(test.what, func(t *testing.T) { servicetest.WantError(t, test.err, test.code, test.message) })
	}
	if s.logs.HasLogGroup("new") {
		t.Error("a refused group was kept")
	}
}
