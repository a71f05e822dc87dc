package secretsmanager_test

import (
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

func TestBatchGetSecretValue(t *testing.T) {
	s := newServer(t)
	one, going := s.create(t, "app/one", "1"), s.create(t, "app/going", "x")
	s.create(t, "two", "2")
	s.put(t, "two", "22")
	must(s.DeleteSecret(t.Context(), &sdk.DeleteSecretInput{SecretId: &going}))(t)
	batch := func(in sdk.BatchGetSecretValueInput) (values, errors []string) {
		out := must(s.BatchGetSecretValue(t.Context(), &in))(t)
		for _, v := range out.SecretValues {
			values = append(values, *v.Name+"="+*v.SecretString)
		}
		for _, e := range out.Errors {
			errors = append(errors, *e.SecretId+" "+*e.ErrorCode)
		}
		return values, errors
	}
	values, errors := batch(sdk.BatchGetSecretValueInput{SecretIdList: []string{"two", one, "other", "a b", going}})
	if diff := cmp.Diff([]string{"two=22", "app/one=1"}, values); diff != "" {
		t.Errorf("by id: -want +got\n%s", diff)
	}
	want := []string{"other ResourceNotFoundException", "a b ValidationException", going + " InvalidRequestException"}
	if diff := cmp.Diff(want, errors); diff != "" {
		t.Errorf("refusals: -want +got\n%s", diff)
	}
	values, errors = batch(sdk.BatchGetSecretValueInput{Filters: []types.Filter{{Key: "name",
		Values: []string{"app/"}}}})
	if diff := cmp.Diff([]string{"app/one=1"}, values); diff != "" || len(errors) > 0 {
		t.Errorf("by filter: errors %v, -want +got\n%s", errors, diff)
	}
	for _, test := range []struct {
		in            sdk.BatchGetSecretValueInput
		code, message string
	}{
		{sdk.BatchGetSecretValueInput{}, "InvalidParameterException",
			"Either 'SecretIdList' or 'Filters' must be provided, but not both."},
		{sdk.BatchGetSecretValueInput{SecretIdList: []string{"two"}, MaxResults: new(int32(1))},
			"InvalidParameterException",
			"'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."},
		{sdk.BatchGetSecretValueInput{SecretIdList: []string{"two"}, NextToken: new("x")}, "InvalidParameterException",
			"'Filters' not specified. 'Filters' must also be specified when 'NextToken' is provided."},
		{sdk.BatchGetSecretValueInput{SecretIdList: slices.Repeat([]string{"x"}, 21)}, "ValidationException",
			refusal("'["+strings.Repeat("x, ", 20)+"x]'", "secretIdList", "have length less than or equal to 20")},
		{sdk.BatchGetSecretValueInput{
			Filters: []types.Filter{{Key: "all", Values: []string{"x"}}}, MaxResults: new(int32(21)),
		}, "ValidationException", refusal("'21'", "maxResults", "have value less than or equal to 20")},
	} {
		_, err := s.BatchGetSecretValue(t.Context(), &test.in)
		servicetest.WantError(t, err, test.code, test.message)
	}
}
