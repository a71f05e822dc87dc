// Package logs serves the CloudWatch Logs API: log groups, their streams and events, metric filters and resource
// policies.
package logs

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/audit"
	"larder/internal/awswire"
	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/isolate"
	"larder/internal/logstore"
	"larder/internal/store"
)

// Config is what a service works with. Every field is needed.
type Config struct {
	Store           *store.Store
	Account, Region string
	Keys            Keys
	Events          *logstore.Store
	// Metrics makes the values durable that metric filters made of a batch of events.
	Metrics func([]Datum)
	// NewID names sessions.
	NewID func() string
	Now   func() time.Time
	// Failed gets what goes wrong with events that are kept already.
	Failed func(error)
}

// Keys knows the account's KMS keys.
type Keys interface {
	// Permit refuses what the policy of an enabled key of that ARN does not let a caller do.
	Permit(arn string, by caller.Caller, context map[string]string, actions ...string) error
}

// Service answers the CloudWatch Logs API.
type Service struct {
	Config
	guard isolate.Guard
	quiet minutes
	tails tails
}

// New makes a service.
func New(c Config) *Service { return &Service{Config: c} }

// maxBody is the size of a request, in bytes, that has a batch of events of the largest size with every byte escaped.
const maxBody = 6*maxBatchBytes + 1<<20

// Why parts of the API are not served.
const (
	oneClass      = "larder keeps all events alike"
	oneAccount    = "larder is one account"
	noProtection  = "it could not be taken back: PutLogGroupDeletionProtection is not served"
	accountPolicy = "resource policies are the account's"
	noEntities    = "entities are not served"
	noMasks       = "data protection policies, which mask, are not served"
	noTransformer = "log transformers are not served"
	interleaved   = "events come in the order of their time, as AWS has given them since 2019"
)

// Gateway is the service as the gateway serves it.
func (s *Service) Gateway() gateway.Service {
	standard := string(types.LogGroupClassStandard)
	shapes, front := awswire.CloudWatchLogs(), front()
	return gateway.Service{Shapes: shapes, Front: front, Audit: audit.Log{Store: s.Store}, MaxBody: maxBody,
		Actions: []gateway.Action{
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

			gateway.Handle("CreateLogStream", gateway.Write, s.createLogStream),
			gateway.Handle("DescribeLogStreams", gateway.List, s.describeLogStreams),
			gateway.Handle("DeleteLogStream", gateway.Write, s.deleteLogStream),

			gateway.Handle("PutLogEvents", gateway.Write, s.putLogEvents, gateway.Refuse("Entity", noEntities)),
			gateway.Handle("GetLogEvents", gateway.Read, s.getLogEvents, gateway.Only("Unmask", noMasks, "false")),
			gateway.Handle("FilterLogEvents", gateway.Read, s.filterLogEvents,
				gateway.Only("Interleaved", interleaved, "true"), gateway.Only("Unmask", noMasks, "false")),

			gateway.HandleStream("StartLiveTail", gateway.Read, s.startLiveTail),

			gateway.Handle("PutMetricFilter", gateway.Write, s.putMetricFilter,
				gateway.Only("ApplyOnTransformedLogs", noTransformer, "false"),
				gateway.Refuse("EmitSystemFieldDimensions", oneAccount), gateway.Refuse("FieldSelectionCriteria",
					oneAccount)),
			gateway.Handle("DescribeMetricFilters", gateway.List, s.describeMetricFilters),
			gateway.Handle("DeleteMetricFilter", gateway.Write, s.deleteMetricFilter),
			gateway.Handle("TestMetricFilter", gateway.Read, s.testMetricFilter),

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
