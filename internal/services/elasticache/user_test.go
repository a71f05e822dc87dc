package elasticache_test

import (
	"reflect"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// An account has the default user before anybody makes one.
func TestDescribeUsers(t *testing.T) {
	s, ctx := newServer(t), t.Context()
	want := []types.User{{
		ARN: new("arn:aws:elasticache:us-east-1:123456789012:user:default"), UserId: new("default"),
		UserName: new("default"),
		Status:   new("active"), Engine: new("redis"), MinimumEngineVersion: new("6.0"), AccessString: new(
			"on ~* +@all"),
		UserGroupIds: []string{}, Authentication: &types.Authentication{Type: types.AuthenticationTypeNoPassword},
	}}
	for name, in := range map[string]*sdk.DescribeUsersInput{
		"all": {}, "by id": {UserId: new("default")}, "by engine": {Engine: new("redis")},
	} {
		if got := must(s.DescribeUsers(ctx, in))(t).Users; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	if got := must(s.DescribeUsers(ctx, &sdk.DescribeUsersInput{Engine: new("valkey")}))(t).Users; len(got) != 0 {
		t.Errorf("of another engine: %+v", got)
	}
}
