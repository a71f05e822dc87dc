package kms

import (
	"context"
	"fmt"
	"io"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"larder/internal/store"
)

// defaultKeys is how many keys a page lists that is asked for without a limit.
const defaultKeys = 100

func (s *Service) listKeys(_ context.Context, in *sdk.ListKeysInput) (*sdk.ListKeysOutput, error) {
	var all []key
	err := s.Store.View(func(tx *store.Tx) error {
		for k, err := range keys.Readable(tx, "") {
			if err != nil {
				return err
			}
			if !s.gone(k) {
				all = append(all, k)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	limit := in.Limit
	if limit == nil {
		limit = new(int32(defaultKeys))
	}
	all, marker, err := page(all, func(k key) string { return k.ID }, maxPage, limit, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListKeysOutput{Keys: []types.KeyListEntry{}, NextMarker: marker, Truncated: marker != nil}
	for _, k := range all {
		out.Keys = append(out.Keys, types.KeyListEntry{KeyId: &k.ID, KeyArn: new(s.keyARN(k.ID))})
	}
	return out, nil
}

// listGrants lists none: CreateGrant is not served, so no key has any.
func (s *Service) listGrants(ctx context.Context, in *sdk.ListGrantsInput) (*sdk.ListGrantsOutput, error) {
	if _, err := s.view(ctx, "ListGrants", in.KeyId); err != nil {
		return nil, err
	}
	if in.GrantId != nil {
		return nil, notFound("Grant ID %s not found", *in.GrantId)
	}
	if in.GranteePrincipal != nil && in.GranteeServicePrincipal != nil {
		return nil, validation("GranteePrincipal and GranteeServicePrincipal cannot be given together.")
	}
	none, marker, err := page([]types.GrantListEntry{}, func(types.GrantListEntry) string { return "" }, maxAliases,
		in.Limit, in.Marker)
	return &sdk.ListGrantsOutput{Grants: none, NextMarker: marker, Truncated: marker != nil}, err
}

// listRetirableGrants lists none, as listGrants does.
func (s *Service) listRetirableGrants(
	_ context.Context, in *sdk.ListRetirableGrantsInput,
) (*sdk.ListRetirableGrantsOutput, error) {
	if (in.RetiringPrincipal == nil) == (in.RetiringServicePrincipal == nil) {
		return nil, validation("Exactly one of RetiringPrincipal and RetiringServicePrincipal must be given.")
	}
	none, marker, err := page([]types.GrantListEntry{}, func(types.GrantListEntry) string { return "" }, maxAliases,
		in.Limit, in.Marker)
	return &sdk.ListRetirableGrantsOutput{Grants: none, NextMarker: marker, Truncated: marker != nil}, err
}

func (s *Service) generateRandom(_ context.Context, in *sdk.GenerateRandomInput) (*sdk.GenerateRandomOutput, error) {
	if in.NumberOfBytes == nil {
		return nil, validation("NumberOfBytes is required.")
	}
	random := make([]byte, *in.NumberOfBytes)
	if _, err := io.ReadFull(s.Random, random); err != nil {
		return nil, fmt.Errorf("cannot make random bytes: %w", err)
	}
	return &sdk.GenerateRandomOutput{Plaintext: random}, nil
}
