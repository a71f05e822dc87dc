package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/sigv4"
)

// describeVPCs has one VPC.
func describeVPCs(_ context.Context, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	switch {
	case len(in.VpcIds) != 1:
		return nil, errors.New("the disk is full")
	case in.VpcIds[0] != "vpc-1":
		return nil, &smithy.GenericAPIError{Code: "InvalidVpcID.NotFound", Message: "The vpc ID '" + in.VpcIds[0] +
			"' does not exist"}
	}
	return &ec2.DescribeVpcsOutput{Vpcs: []types.Vpc{{VpcId: aws.String("vpc-1"),
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("<b>")}}}}}, nil
}

func serveEC2(t *testing.T) server {
	t.Helper()
	g, err := gateway.New(gateway.Config{
		User: user, Grants: everything,
		Services: []gateway.Service{{Shapes: awswire.EC2(),
			Actions: []gateway.Action{gateway.Handle("DescribeVpcs", gateway.List, describeVPCs)}}},
		Verifier: &sigv4.Verifier{Secret: func(id string) (string, bool) { return secret, id == keyID }, Now: time.Now},
		Region:   region, NewRequestID: func() string { return "request-1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	s := server{Server: httptest.NewServer(g)}
	t.Cleanup(s.Close)
	return s
}

func TestEC2Client(t *testing.T) {
	client := ec2.NewFromConfig(serveEC2(t).config())
	got, err := client.DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-1"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Vpcs) != 1 || *got.Vpcs[0].VpcId != "vpc-1" || *got.Vpcs[0].Tags[0].Value != "<b>" {
		t.Errorf("got %v", got.Vpcs)
	}
	if id, _ := middleware.GetRequestIDMetadata(got.ResultMetadata); id != "request-1" {
		t.Errorf("the request ID is %q", id)
	}
	_, err = client.DescribeVpcs(context.Background(), &ec2.DescribeVpcsInput{VpcIds: []string{"vpc-2"}})
	checkCode(t, err, "InvalidVpcID.NotFound", http.StatusBadRequest)
}

// TestEC2Credentials: a refused signature is answered in EC2's form, too, and with its code.
func TestEC2Credentials(t *testing.T) {
	config := serveEC2(t).config()
	for name, key := range map[string][2]string{"unknown key": {"AKIDOTHER", secret},
		"wrong secret": {keyID, "guess"}} {
		t.Run(name, func(t *testing.T) {
			config := config.Copy()
			config.Credentials = credentials.NewStaticCredentialsProvider(key[0], key[1], "")
			_, err := ec2.NewFromConfig(config).DescribeVpcs(context.Background(), nil)
			checkCode(t, err, "AuthFailure", http.StatusUnauthorized)
		})
	}
}

func TestEC2Errors(t *testing.T) {
	s := serveEC2(t)
	const version = "&Version=2016-11-15"
	for _, test := range []struct {
		name, body    string
		status        int
		code, message string
	}{
		{"not there", "Action=DescribeVpcs&VpcId.1=vpc-2" + version, 400, "InvalidVpcID.NotFound",
			"The vpc ID 'vpc-2' does not exist"},
		{"not served", "Action=RunInstances" + version, 400, "InvalidAction",
			"larder does not serve ec2:RunInstances; docs/COMPATIBILITY.md lists what it serves"},
		{"unknown operation", "Action=Foo" + version, 400, "InvalidAction",
			"Could not find operation Foo for version 2016-11-15"},
		{"unknown parameter", "Action=DescribeVpcs&Colour=red" + version, 400, "UnknownParameter",
			"the parameter Colour is not known to this operation"},
		{"list in awsQuery's form", "Action=DescribeVpcs&VpcId.member.1=vpc-1" + version, 400, "UnknownParameter",
			"the parameter VpcId.member.1 is not known to this operation"},
		{"bad value", "Action=DescribeVpcs&MaxResults=many" + version, 400, "InvalidParameterValue",
			"the value \"many\" of parameter MaxResults is not an integer of 32 bits"},
		{"internal", "Action=DescribeVpcs" + version, 500, "InternalFailure",
			"An internal error has occurred. Please try your query again at a later time."},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRequest(t, "POST", s.URL, test.body, "Content-Type", form)
			sign(t, r, test.body, "ec2")
			got := do(t, r)
			want := "<Response><Errors><Error><Code>" + test.code + "</Code><Message>" + test.message +
				"</Message></Error></Errors><RequestID>request-1</RequestID></Response>"
			if got.status != test.status || got.body != want {
				t.Errorf("got  %d %s\nwant %d %s", got.status, got.body, test.status, want)
			}
			if got.header.Get("Content-Type") != "text/xml" {
				t.Errorf("the content type is %s", got.header.Get("Content-Type"))
			}
		})
	}
}

// TestEC2IsAskedInEC2Query: another protocol's request is refused in that protocol.
func TestEC2IsAskedInEC2Query(t *testing.T) {
	r := newRequest(t, "POST", serveEC2(t).URL, "{}", "Content-Type", json11, "X-Amz-Target", "ec2.DescribeVpcs")
	sign(t, r, "{}", "ec2")
	got := do(t, r)
	if want := "ec2 is asked in ec2Query, not in the protocol of this request"; got.status != 400 ||
		!strings.Contains(got.body, want) {
		t.Errorf("got %+v", got)
	}
}

// TestEC2Presigned: the service is told by the query, where the signature is.
func TestEC2Presigned(t *testing.T) {
	s := serveEC2(t)
	for id, want := range map[string]string{
		"vpc-1": "<DescribeVpcsResponse ", "vpc-2": "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>",
	} {
		r := newRequest(t, "GET", s.URL+"/?Action=DescribeVpcs&Version=2016-11-15&X-Amz-Expires=60&VpcId.1="+id, "")
		hash := sha256.Sum256(nil)
		creds := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}
		url, _, err := v4.NewSigner().PresignHTTP(context.Background(), creds, r, hex.EncodeToString(hash[:]), "ec2",
			region, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if got := do(t, newRequest(t, "GET", url, "")); !strings.HasPrefix(got.body, want) {
			t.Errorf("got %+v", got)
		}
	}
}
