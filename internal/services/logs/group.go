package logs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	"larder/internal/audit"
	"larder/internal/caller"
	"larder/internal/store"
)

// groups holds every log group, by name.
const groups = store.Table[group]("log-groups")

// group is a log group.
type group struct {
	Name      string
	Created   time.Time
	Retention int32  // days; 0 for ever
	KMSKey    string // an ARN; empty for the service's own key
	Tags      map[string]string
	Streams   uint32 // number of the last log stream that was made
}

// id names the group's events: another group of the name, later, has another.
func (g group) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", g.Name, g.Created.UnixNano()))
	return hex.EncodeToString(sum[:16])
}

const maxName = 512

// checkName refuses a name of a log group or of a log stream that is too long. What else names can be the front says.
func checkName(name *string) error {
	if len(*name) > maxName {
		return tooLong()
	}
	return nil
}

// find returns the log group of that name.
func find(tx *store.Tx, name string) (group, error) {
	found, err := groups.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		return group{}, notFound("The specified log group does not exist.")
	}
	return found, err
}

// change changes a log group in one transaction.
func (s *Service) change(ctx context.Context, name *string, change func(*group) error) error {
	if err := checkName(name); err != nil {
		return err
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		found, err := find(tx, *name)
		if err != nil {
			return err
		}
		if err := change(&found); err != nil {
			return err
		}
		return groups.Put(tx, found.Name, found)
	})
}

func (s *Service) createLogGroup(ctx context.Context, in *sdk.CreateLogGroupInput) (*sdk.CreateLogGroupOutput, error) {
	if err := checkName(in.LogGroupName); err != nil {
		return nil, err
	}
	made := group{Name: *in.LogGroupName, Created: s.Now(), KMSKey: aws.ToString(in.KmsKeyId),
		Tags: map[string]string{}}
	if in.KmsKeyId != nil {
		if err := s.checkKey(made.Name, *in.KmsKeyId); err != nil {
			return nil, err
		}
	}
	if err := setTags(made.Tags, in.Tags); err != nil {
		return nil, err
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		_, err := groups.Get(tx, made.Name)
		if err == nil {
			return &types.ResourceAlreadyExistsException{Message: new("The specified log group already exists")}
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return groups.Put(tx, made.Name, made)
	})
	return &sdk.CreateLogGroupOutput{}, err
}

// checkKey refuses a key that is none, or that the service may not use for the group, in AWS's words: they don't say
// which.
func (s *Service) checkKey(group, arn string) error {
	if !strings.HasPrefix(arn, "arn:") {
		return invalidParameter("The specified KMS Key Id could not be found.")
	}
	err := s.permitKey(group, arn, "Encrypt", "GenerateDataKey", "Decrypt", "DescribeKey")
	if refusal := smithy.APIError(nil); errors.As(err, &refusal) {
		return &types.AccessDeniedException{Message: new(fmt.Sprintf(
			"The specified KMS key does not exist or is not allowed to be used with Arn '%s'", s.arn(group)))}
	}
	return err
}

// keyUsable refuses to read or write a group's events while the policy of its key does not let the service. Of a key
// that cannot be used at all, the store of the events says so.
func (s *Service) keyUsable(of group, actions ...string) error {
	if of.KMSKey == "" {
		return nil
	}
	err := s.permitKey(of.Name, of.KMSKey, actions...)
	refusal := smithy.APIError(nil)
	switch {
	case !errors.As(err, &refusal):
		return err
	case refusal.ErrorCode() != "AccessDeniedException":
		return nil
	}
	return &smithy.GenericAPIError{Code: refusal.ErrorCode(), Fault: smithy.FaultClient,
		Message: "The KMS key of the log group cannot be used: " + refusal.ErrorMessage()}
}

// permitKey refuses what the key's policy does not let the service do for the group. Source: "Encrypt log data using
// AWS KMS" in the guide.
func (s *Service) permitKey(group, arn string, actions ...string) error {
	by := caller.Service("logs."+s.Region+".amazonaws.com", s.Account, s.arn(group))
	return s.Keys.Permit(arn, by, map[string]string{"aws:logs:arn": s.arn(group)}, actions...)
}

func (s *Service) deleteLogGroup(ctx context.Context, in *sdk.DeleteLogGroupInput) (*sdk.DeleteLogGroupOutput, error) {
	if err := checkName(in.LogGroupName); err != nil {
		return nil, err
	}
	var gone group
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) (err error) {
		if gone, err = find(tx, *in.LogGroupName); err != nil && !store.IsUnreadable(err) {
			return err
		}
		return errors.Join(deleteWithin(tx, *in.LogGroupName), groups.Delete(tx, *in.LogGroupName))
	})
	if err == nil &&
		gone.Name == "" { // which events are an unreadable group's is not known: Keep deletes those of no group
		return &sdk.DeleteLogGroupOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	// The group is gone, whatever becomes of its files: Keep goes on with those.
	if err := s.Events.Drop(gone.id()); err != nil {
		s.Failed(fmt.Errorf("the log group %s was deleted, and some of its files are left: %w", gone.Name, err))
	}
	return &sdk.DeleteLogGroupOutput{}, nil
}

// deleteWithin deletes what belongs to a group.
func deleteWithin(tx *store.Tx, group string) error {
	all, err := streams.KeysOf(tx, group+":")
	for _, key := range all {
		err = errors.Join(err, streams.Delete(tx, key))
	}
	filters, more := metricFilters.KeysOf(tx, group+":")
	for _, key := range filters {
		more = errors.Join(more, metricFilters.Delete(tx, key))
	}
	return errors.Join(err, more)
}

func (s *Service) putRetentionPolicy(
	ctx context.Context, in *sdk.PutRetentionPolicyInput,
) (*sdk.PutRetentionPolicyOutput, error) {
	err := s.change(ctx, in.LogGroupName, func(g *group) error {
		g.Retention = *in.RetentionInDays
		return nil
	})
	return &sdk.PutRetentionPolicyOutput{}, err
}

func (s *Service) deleteRetentionPolicy(
	ctx context.Context, in *sdk.DeleteRetentionPolicyInput,
) (*sdk.DeleteRetentionPolicyOutput, error) {
	err := s.change(ctx, in.LogGroupName, func(g *group) error {
		g.Retention = 0
		return nil
	})
	return &sdk.DeleteRetentionPolicyOutput{}, err
}

func (s *Service) associateKey(ctx context.Context, in *sdk.AssociateKmsKeyInput) (*sdk.AssociateKmsKeyOutput, error) {
	name, err := s.identified(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	if err := s.checkKey(*name, *in.KmsKeyId); err != nil {
		return nil, err
	}
	err = s.change(ctx, name, func(g *group) error {
		g.KMSKey = *in.KmsKeyId
		return nil
	})
	return &sdk.AssociateKmsKeyOutput{}, err
}

func (s *Service) disassociateKey(
	ctx context.Context, in *sdk.DisassociateKmsKeyInput,
) (*sdk.DisassociateKmsKeyOutput, error) {
	name, err := s.identified(in.LogGroupName, in.ResourceIdentifier)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, name, func(g *group) error {
		g.KMSKey = ""
		return nil
	})
	return &sdk.DisassociateKmsKeyOutput{}, err
}

// identified returns the name that a request gives, or that of the ARN it gives instead.
func (s *Service) identified(name, arn *string) (*string, error) {
	if (name == nil) == (arn == nil) {
		return nil, invalidParameter("Exactly one of logGroupName and resourceIdentifier must be given")
	}
	if name != nil {
		return name, nil
	}
	found, err := s.named(*arn)
	return &found, err
}

// chosen returns the name that a request gives, or that of the name or ARN it gives instead.
func (s *Service) chosen(name, identifier *string) (*string, error) {
	switch {
	case name == nil && identifier == nil:
		return nil, invalidParameter("Exactly one of logGroupName and logGroupIdentifier must be given")
	case identifier == nil:
		return name, nil
	case name != nil:
		return nil, exclusive()
	}
	found, err := s.nameOf(*identifier)
	return &found, err
}

// maxIdentifier is how long an identifier may be: a log group's name, or its ARN without the asterisk of policies.
const maxIdentifier = 2048

// nameOf is the name that an identifier is, or that of the ARN that it is.
func (s *Service) nameOf(identifier string) (string, error) {
	if !strings.HasPrefix(identifier, "arn:") {
		return identifier, nil
	}
	return s.named(identifier)
}

// clip bounds how much of a client's text an error repeats, in bytes.
func clip(s string) string { return s[:min(len(s), 128)] }
