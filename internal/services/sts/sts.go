// Package sts serves the one operation of STS that clients ask before anything else: who am I.
package sts

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"larder/internal/awswire"
	"larder/internal/caller"
	"larder/internal/gateway"
)

// Service answers the STS API.
type Service struct{}

// Gateway is the service as the gateway serves it.
func (s Service) Gateway() gateway.Service {
	return gateway.Service{Shapes: awswire.STS(), Actions: []gateway.Action{
		gateway.Handle("GetCallerIdentity", gateway.Read, s.getCallerIdentity),
	}}
}

func (s Service) getCallerIdentity(
	ctx context.Context, _ *sdk.GetCallerIdentityInput,
) (*sdk.GetCallerIdentityOutput, error) {
	by := caller.Of(ctx)
	return &sdk.GetCallerIdentityOutput{Account: &by.Account, Arn: &by.ARN, UserId: new(by.UserID())}, nil
}
