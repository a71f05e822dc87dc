package secretsmanager

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"larder/internal/store"
)

// maxBatch is how many secrets one request can read.
const maxBatch = 20

// batchGetSecretValue reads the current values of the secrets that a request names or filters. A secret that cannot be
// read is among the answer's errors, and stops no other one.
func (s *Service) batchGetSecretValue(
	ctx context.Context, in *sdk.BatchGetSecretValueInput,
) (*sdk.BatchGetSecretValueOutput, error) {
	switch listed := len(in.SecretIdList) > 0; {
	case listed == (len(in.Filters) > 0):
		return nil, invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case listed && in.MaxResults != nil:
		return nil, invalidParameter("'Filters' not specified. 'Filters' must also be specified when 'MaxResults' " +
			"is provided.")
	case listed && in.NextToken != nil:
		return nil, invalidParameter("'Filters' not specified. 'Filters' must also be specified when 'NextToken' " +
			"is provided.")
	}
	ids, token := in.SecretIdList, (*string)(nil)
	if len(in.Filters) > 0 {
		found, err := s.filtered(in.Filters, false)
		if err != nil {
			return nil, err
		}
		if found, token, err = page(found, func(f secret) string { return dated(f.Created, f.Name) }, false, maxBatch,
			in.MaxResults, in.NextToken); err != nil {
			return nil, err
		}
		for _, f := range found {
			ids = append(ids, f.ARN)
		}
	}
	out := &sdk.BatchGetSecretValueOutput{SecretValues: []types.SecretValueEntry{}, Errors: []types.APIErrorType{},
		NextToken: token}
	for _, id := range ids {
		entry, err := s.currentValue(ctx, id)
		var refusal smithy.APIError
		switch {
		case err == nil:
			out.SecretValues = append(out.SecretValues, entry)
		case errors.As(err, &refusal):
			out.Errors = append(out.Errors, types.APIErrorType{
				SecretId: &id, ErrorCode: new(refusal.ErrorCode()), Message: new(refusal.ErrorMessage()),
			})
		default:
			return nil, err
		}
	}
	return out, nil
}

// currentValue reads the current version of the live secret that an id names.
func (s *Service) currentValue(ctx context.Context, id string) (types.SecretValueEntry, error) {
	var found secret
	var v *version
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if found, err = s.findLive(tx, &id); err == nil {
			err = s.authorize(ctx, "GetSecretValue", found)
		}
		if err == nil {
			v, err = found.pick(nil, nil)
		}
		return err
	})
	if err != nil {
		return types.SecretValueEntry{}, err
	}
	return s.read(ctx, found, v)
}
