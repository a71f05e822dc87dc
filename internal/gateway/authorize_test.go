package gateway_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"

	"larder/internal/audit"
	"larder/internal/awssdk/ec2"
	"larder/internal/awswire"
	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/sigv4"
)

func TestGrantsPermit(t *testing.T) {
	read := gateway.Grants{gateway.List, gateway.Read}
	for _, test := range []struct {
		grants gateway.Grants
		action string
		access gateway.Access
		want   bool
	}{
		{nil, "elasticache:DescribeUsers", gateway.List, false},
		{nil, "sts:GetCallerIdentity", gateway.Read, true},
		{read, "elasticache:DescribeUsers", gateway.List, true},
		{read, "secretsmanager:GetSecretValue", gateway.Read, true},
		{read, "elasticache:DeleteUser", gateway.Write, false},
		{read, "sns:TagResource", gateway.Tagging, false},
		{read, "kms:PutKeyPolicy", gateway.Permissions, false},
		{gateway.Everything(), "kms:PutKeyPolicy", gateway.Permissions, true},
		{gateway.Everything(), "sns:TagResource", gateway.Tagging, true},
		{gateway.Everything(), "elasticache:DeleteUser", gateway.Write, true},
	} {
		if got := test.grants.Permit(gateway.Request{Action: test.action, Access: test.access}); got != test.want {
			t.Errorf("%v, %s: got %v", test.grants, test.action, got)
		}
	}
}

// denies is an action that nobody may get to.
func denies[I, O any](t *testing.T, name string) gateway.Action {
	return gateway.Handle(name, gateway.Write, func(context.Context, *I) (*O, error) {
		t.Errorf("%s was done", name)
		return new(O), nil
	})
}

// never is an auditor that nobody may get to.
type never struct{ t *testing.T }

func (n never) Begin(ctx context.Context, e audit.Event) context.Context {
	n.t.Errorf("%s was begun", e.Action)
	return ctx
}

func (n never) Finish(context.Context) error { return errors.New("finished what was never begun") }

// TestDenied asks for what the caller may not do, in every protocol: the answer is AWS's, and nothing is done.
func TestDenied(t *testing.T) {
	service := func(shapes *awswire.Shapes, a gateway.Action) gateway.Service {
		return gateway.Service{Shapes: shapes, Actions: []gateway.Action{a}, Audit: never{t}}
	}
	topics := service(awswire.SNS(), denies[sns.TagResourceInput, sns.TagResourceOutput](t, "TagResource"))
	topics.DeniedCode = "AuthorizationError"
	g, err := gateway.New(gateway.Config{
		User: user, Region: region, NewRequestID: func() string { return "request-1" },
		Grants: func(by caller.Caller) gateway.Grants {
			if by.AccessKeyID != keyID {
				t.Errorf("%+v asks", by)
			}
			return gateway.Grants{gateway.List, gateway.Read}
		},
		Verifier: &sigv4.Verifier{Secret: func(id string) (string, bool) { return secret, id == keyID }, Now: time.Now},
		Services: []gateway.Service{
			service(awswire.ElastiCache(),
				denies[elasticache.DeleteUserInput, elasticache.DeleteUserOutput](t, "DeleteUser")),
			service(awswire.EC2(), denies[ec2.CreateVpcInput, ec2.CreateVpcOutput](t, "CreateVpc")),
			service(awswire.SecretsManager(),
				denies[secretsmanager.DeleteSecretInput, secretsmanager.DeleteSecretOutput](t, "DeleteSecret")),
			service(awswire.CloudWatch(),
				denies[cloudwatch.DeleteAlarmsInput, cloudwatch.DeleteAlarmsOutput](t, "DeleteAlarms")),
			topics,
			{Shapes: awswire.STS(), Actions: []gateway.Action{
				gateway.Handle("GetCallerIdentity", gateway.Read, callerIdentity)}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	config := server{Server: s}.config()
	topic := "arn:aws:sns:" + region + ":" + account + ":news"
	for action, test := range map[string]struct {
		ask            func() error
		code, resource string
		status         int
	}{
		"elasticache:DeleteUser": {func() error {
			_, err := elasticache.NewFromConfig(config).DeleteUser(t.Context(),
				&elasticache.DeleteUserInput{UserId: aws.String("u")})
			return err
		}, "AccessDenied", "*", 403},
		"ec2:CreateVpc": {func() error {
			_, err := ec2.NewFromConfig(config).CreateVpc(t.Context(),
				&ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})
			return err
		}, "UnauthorizedOperation", "*", 403},
		"secretsmanager:DeleteSecret": {func() error {
			_, err := secretsmanager.NewFromConfig(config).DeleteSecret(t.Context(),
				&secretsmanager.DeleteSecretInput{SecretId: aws.String("s")})
			return err
		}, "AccessDeniedException", "*", 400},
		"cloudwatch:DeleteAlarms": {func() error {
			_, err := cloudwatch.NewFromConfig(config).DeleteAlarms(t.Context(),
				&cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"a"}})
			return err
		}, "AccessDenied", "*", 403},
		"sns:TagResource": {func() error {
			_, err := sns.NewFromConfig(config).TagResource(t.Context(), &sns.TagResourceInput{ResourceArn: &topic,
				Tags: []snstypes.Tag{}})
			return err
		}, "AuthorizationError", topic, 403},
	} {
		err := test.ask()
		var refusal smithy.APIError
		var response interface{ HTTPStatusCode() int }
		if !errors.As(err, &refusal) || !errors.As(err, &response) {
			t.Errorf("%s: got %v", action, err)
			continue
		}
		want := test.code + ": User: arn:aws:iam::" + account + ":user/larder is not authorized to perform: " + action +
			" on resource: " + test.resource + " because no identity-based policy allows the " + action + " action"
		if got := refusal.ErrorCode() + ": " + refusal.ErrorMessage(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got := response.HTTPStatusCode(); got != test.status {
			t.Errorf("%s: status %d, want %d", action, got, test.status)
		}
	}
	a, value := ask(t, s, granite+"DeleteAlarms", string(cbor.Encode(cbor.Map{
		"AlarmNames": cbor.List{cbor.String("a")},
	})))
	if kind := value["__type"]; a.status != 400 || kind != cbor.String("AccessDeniedException") {
		t.Errorf("in CBOR: status %d, %v", a.status, value)
	}
	if _, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Errorf("who asks cannot ask who it is: %v", err)
	}
}
