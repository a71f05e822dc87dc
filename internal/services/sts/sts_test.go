package sts_test

import (
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/services/sts"
	"larder/internal/sigv4"
)

func TestGetCallerIdentity(t *testing.T) {
	const region, account = "us-east-1", "123456789012"
	entry, err := gateway.New(gateway.Config{
		User:     func(string) caller.Caller { return caller.User(account) },
		Grants:   func(caller.Caller) gateway.Grants { return gateway.Everything() },
		Services: []gateway.Service{sts.Service{}.Gateway()}, Region: region,
		Verifier:     &sigv4.Verifier{Secret: func(string) (string, bool) { return "secret", true }, Now: time.Now},
		NewRequestID: func() string { return "00000000-0000-4000-8000-000000000000" },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(entry)
	t.Cleanup(server.Close)
	client := sdk.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: &server.URL,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	var first string
	for range 2 {
		got, err := client.GetCallerIdentity(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if *got.Account != account || *got.Arn != "arn:aws:iam::123456789012:user/larder" {
			t.Errorf("got account %s and ARN %s", *got.Account, *got.Arn)
		}
		if !regexp.MustCompile(`^AIDA[A-Z0-9]{17}$`).MatchString(*got.UserId) || first != "" && first != *got.UserId {
			t.Errorf("got user id %s, before %q", *got.UserId, first)
		}
		first = *got.UserId
	}
}
