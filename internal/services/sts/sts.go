// Package sts serves the one operation of STS that clients ask before anything else: who am I.
package sts

import (
	"context"
	"crypto/sha256"
	"encoding/base32"

	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"larder/internal/awswire"
	"larder/internal/gateway"
)

// Service answers the STS API. Every credential that the gateway lets in belongs to one user of the account.
type Service struct{ Account string }

// Gateway is the service as the gateway serves it.
func (s Service) Gateway() gateway.Service {
	return gateway.Service{Shapes: awswire.STS(), Actions: []gateway.Action{
		gateway.Handle("GetCallerIdentity", gateway.Read, s.getCallerIdentity),
	}}
}

func (s Service) getCallerIdentity(context.Context, *sdk.GetCallerIdentityInput) (*sdk.GetCallerIdentityOutput, error) {
	return &sdk.GetCallerIdentityOutput{
		Account: &s.Account, Arn: new("arn:aws:iam::" + s.Account + ":user/larder"), UserId: new(userID(s.Account)),
	}, nil
}

// userID has IAM's form: AIDA, for a user, and 17 capitals and digits.
func userID(account string) string {
	sum := sha256.Sum256([]byte(account))
	return "AIDA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
