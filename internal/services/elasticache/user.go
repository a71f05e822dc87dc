package elasticache

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// defaultUserID is the user that every account has. Nobody can change or delete it.
const defaultUserID = "default"

func (s *Service) defaultUser() types.User {
	return types.User{
		ARN: aws.String(s.arn("user", defaultUserID)), UserId: aws.String(defaultUserID),
		UserName: aws.String(defaultUserID),
		Status:   aws.String("active"), Engine: aws.String("redis"), MinimumEngineVersion: aws.String("6.0"),
		AccessString: aws.String("on ~* +@all"), UserGroupIds: []string{},
		Authentication: &types.Authentication{Type: types.AuthenticationTypeNoPassword},
	}
}

// describeUsers lists the default user. There are no others, because CreateUser is not served.
func (s *Service) describeUsers(_ context.Context, in *sdk.DescribeUsersInput) (*sdk.DescribeUsersOutput, error) {
	users := []types.User{s.defaultUser()}
	if id := aws.ToString(in.UserId); in.UserId != nil && id != defaultUserID {
		return nil, userNotFound(id)
	}
	if engine := aws.ToString(in.Engine); in.Engine != nil && engine != *users[0].Engine {
		users = nil
	}
	users, marker, err := page(users, func(u types.User) string { return *u.UserId }, in.MaxRecords, in.Marker)
	return &sdk.DescribeUsersOutput{Users: users, Marker: marker}, err
}
