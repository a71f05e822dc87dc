// Package logs serves the CloudWatch Logs API for log groups and resource policies: what they are, not yet what is logged.
package logs

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/awswire"
	"larder/internal/gateway"
	"larder/internal/store"
)

// Config is what a service works with. Every field is needed.
type Config struct {
	Store           *store.Store
	Account, Region string
	Keys            Keys
	Now             func() time.Time
}

// Keys knows the account's KMS keys.
type Keys interface {
	// HasKey tells whether there is an enabled key of that ARN.
	HasKey(arn string) bool
}

// Service answers the CloudWatch Logs API.
type Service struct{ Config }

// New makes a service.
func New(c Config) *Service { return &Service{c} }

// Why parts of the API are not served.
const (
	oneClass      = "larder keeps all events alike"
	oneAccount    = "larder is one account"
	noProtection  = "it could not be taken back: PutLogGroupDeletionProtection is not served"
	accountPolicy = "resource policies are the account's"
)

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	standard := string(types.LogGroupClassStandard)
	return gateway.Service{Shapes: awswire.CloudWatchLogs(), Actions: []gateway.Action{
		gateway.Handle("CreateLogGroup", gateway.Write, s.createLogGroup,
			gateway.Only("DeletionProtectionEnabled", noProtection, "false"),
			gateway.Only("LogGroupClass", oneClass, standard)),
		gateway.Handle("DescribeLogGroups", gateway.List, s.describeLogGroups,
			gateway.Refuse("AccountIdentifiers", oneAccount),
			gateway.Only("IncludeLinkedAccounts", oneAccount, "false"),
			gateway.Only("LogGroupClass", oneClass, standard)),
		gateway.Handle("DeleteLogGroup", gateway.Write, s.deleteLogGroup),
		gateway.Handle("PutRetentionPolicy", gateway.Write, s.putRetentionPolicy),
		gateway.Handle("DeleteRetentionPolicy", gateway.Write, s.deleteRetentionPolicy),
		gateway.Handle("AssociateKmsKey", gateway.Write, s.associateKey),
		gateway.Handle("DisassociateKmsKey", gateway.Write, s.disassociateKey),

		gateway.Handle("TagLogGroup", gateway.Tagging, s.tagLogGroup),
		gateway.Handle("UntagLogGroup", gateway.Tagging, s.untagLogGroup),
		gateway.Handle("ListTagsLogGroup", gateway.List, s.listTagsLogGroup),
		gateway.Handle("TagResource", gateway.Tagging, s.tagResource),
		gateway.Handle("UntagResource", gateway.Tagging, s.untagResource),
		gateway.Handle("ListTagsForResource", gateway.List, s.listTagsForResource),

		gateway.Handle("PutResourcePolicy", gateway.Permissions, s.putResourcePolicy,
			gateway.Refuse("ExpectedRevisionId", accountPolicy), gateway.Refuse("ResourceArn", accountPolicy)),
		gateway.Handle("DescribeResourcePolicies", gateway.List, s.describeResourcePolicies,
			gateway.Refuse("ResourceArn", accountPolicy),
			gateway.Only("PolicyScope", accountPolicy, string(types.PolicyScopeAccount))),
		gateway.Handle("DeleteResourcePolicy", gateway.Permissions, s.deleteResourcePolicy,
			gateway.Refuse("ExpectedRevisionId", accountPolicy), gateway.Refuse("ResourceArn", accountPolicy)),
	}}
}

// HasLogGroup tells whether there is a log group of that name.
func (s *Service) HasLogGroup(name string) bool {
	err := s.Store.View(func(tx *store.Tx) error {
		_, err := find(tx, name)
		return err
	})
	return err == nil
}

func (s *Service) arn(name string) string {
	return fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", s.Region, s.Account, name)
}

// named takes the name out of a log group's ARN, which may end in ":*".
func (s *Service) named(arn string) (string, error) {
	name, ok := strings.CutPrefix(arn, s.arn(""))
	name = strings.TrimSuffix(name, ":*")
	if !ok || strings.Contains(name, ":") {
		return "", invalidParameter("%s is not the ARN of a log group of account %s in %s", arn, s.Account, s.Region)
	}
	return name, nil
}

// millis is a time as this API writes it.
func millis(t time.Time) *int64 { return new(t.UnixMilli()) }
