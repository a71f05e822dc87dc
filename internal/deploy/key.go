package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"larder/internal/module"
)

// key is the kind of the key of modules/kms, which its around makes together with its alias.
type key struct{ companion }

func (key) name() string { return keyKind }

// companions makes the key of modules/kms with its alias, or gives the one that an earlier apply made what the call
// says.
func (key) companions(ctx context.Context, a *apply, m module.Companions, found *module.StandIns) error {
	want := m.KMS
	if want == nil {
		return nil
	}
	for _, r := range a.earlier(keyKind) {
		out, err := a.Keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &r.Name})
		if err != nil && !notFound(err) {
			return fmt.Errorf("cannot describe the key %s: %w", r.Name, err)
		}
		if err == nil && out.KeyMetadata.KeyState == kmstypes.KeyStateEnabled {
			found.KMSKeyARN, found.KMSAlias = *out.KeyMetadata.Arn, want.Alias
			return a.changeKey(ctx, *want, *out.KeyMetadata)
		}
	}
	id, err := a.createKey(ctx, *want, found)
	if err != nil {
		return err
	}
	_, err = request(ctx, a, a.Keys.EnableKeyRotation, &kms.EnableKeyRotationInput{KeyId: &id})
	if err != nil {
		return fmt.Errorf("cannot have the key %s rotated: %w", id, err)
	}
	return a.doneUnless(a.alias(ctx, want.Alias, id), "created key %s", want.Alias)
}

// delete has the key deleted at the end of its window, which KMS never makes shorter than seven days. Until then it
// can be kept, which whoever has snapshots sealed with it is told.
func (key) delete(ctx context.Context, d *Deployer, r Resource) error {
	out, err := d.Keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &r.Name})
	if err != nil {
		return err
	}
	sealed, err := d.sealedWith(ctx, *out.KeyMetadata.Arn)
	if err != nil {
		return err
	}
	end := out.KeyMetadata.DeletionDate
	if out.KeyMetadata.KeyState != kmstypes.KeyStatePendingDeletion {
		scheduled, err := d.Keys.ScheduleKeyDeletion(ctx,
			&kms.ScheduleKeyDeletionInput{KeyId: &r.Name, PendingWindowInDays: aws.Int32(max(r.RecoveryDays, 7))})
		if err != nil {
			return err
		}
		end = scheduled.DeletionDate
	}
	if len(sealed) > 0 {
		d.Progress.Done(keepKey(r.Name, sealed, aws.ToTime(end)))
	}
	return nil
}

func (key) marked(ctx context.Context, d *Deployer, mark string) ([]string, error) {
	var ids []string
	pages := kms.NewListKeysPaginator(d.Keys, &kms.ListKeysInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, k := range page.Keys {
			tags, err := d.Keys.ListResourceTags(ctx, &kms.ListResourceTagsInput{KeyId: k.KeyId})
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(tags.Tags, func(t kmstypes.Tag) bool {
				return *t.TagKey == markTag && aws.ToString(t.TagValue) == mark
			}) {
				ids = append(ids, *k.KeyId)
			}
		}
	}
	return ids, nil
}

// alias is the kind of the alias of modules/kms.
type alias struct{ companion }

func (alias) name() string { return aliasKind }

func (alias) delete(ctx context.Context, d *Deployer, r Resource) error {
	_, err := d.Keys.DeleteAlias(ctx, &kms.DeleteAliasInput{AliasName: &r.Name})
	return err
}

// createKey makes a key and returns its id.
func (a *apply) createKey(ctx context.Context, want module.Key, found *module.StandIns) (string, error) {
	if a.planning {
		found.KMSKeyARN, found.KMSAlias = unknownKey(found.KMSKeyARN), want.Alias
		a.keep(Resource{Kind: keyKind, Name: unknown})
		return unknown, nil
	}
	own, mark, err := a.marked(ctx, keyKind, want.DeletionDays)
	if err != nil {
		return "", err
	}
	maps.Copy(mark, want.Tags)
	out, err := a.Keys.CreateKey(ctx, &kms.CreateKeyInput{
		Description: &want.Description, Policy: &want.Policy, Tags: listed(mark, keyTag),
	})
	if err != nil {
		a.creating(err, own)
		return "", fmt.Errorf("cannot create the key for %s: %w", want.Alias, err)
	}
	found.KMSKeyARN, found.KMSAlias = *out.KeyMetadata.Arn, want.Alias
	return *out.KeyMetadata.KeyId, a.unmark(ctx, own, *out.KeyMetadata.KeyId, *out.KeyMetadata.Arn)
}

// alias gives the key its alias, unless it has it. One that another key has is not taken from it.
func (a *apply) alias(ctx context.Context, name, key string) error {
	own := Resource{Kind: aliasKind, Name: name}
	found, err := a.Keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &name})
	switch {
	case err == nil && *found.KeyMetadata.KeyId == key:
		a.keep(own)
		return nil
	case err == nil:
		return fmt.Errorf("cannot create %s: it is there already, of the key %s, which this deployment did not make",
			name, *found.KeyMetadata.KeyId)
	case !notFound(err):
		return fmt.Errorf("cannot describe %s: %w", name, err)
	}
	if err := a.recordAhead(ctx, own); err != nil {
		return err
	}
	_, err = request(ctx, a, a.Keys.CreateAlias, &kms.CreateAliasInput{AliasName: &name, TargetKeyId: &key})
	a.creating(err, own)
	if err != nil {
		return fmt.Errorf("cannot create %s: %w", name, err)
	}
	return nil
}

func keyTag(k, v *string) kmstypes.Tag { return kmstypes.Tag{TagKey: k, TagValue: v} }

func (a *apply) changeKey(ctx context.Context, want module.Key, have kmstypes.KeyMetadata) error {
	id := *have.KeyId
	if err := a.recordAhead(ctx, Resource{Kind: keyKind, Name: id, RecoveryDays: want.DeletionDays}); err != nil {
		return err
	}
	if err := a.alias(ctx, want.Alias, id); err != nil {
		return err
	}
	policy, err := a.Keys.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: &id})
	if err != nil {
		return fmt.Errorf("cannot read the policy of the key %s: %w", id, err)
	}
	var errs []error
	if !sameDocument(want.Policy, aws.ToString(policy.Policy)) {
		_, err := request(ctx, a, a.Keys.PutKeyPolicy, &kms.PutKeyPolicyInput{KeyId: &id, Policy: &want.Policy})
		errs = append(errs, a.doneUnless(err, "changed the policy of key %s", want.Alias))
	}
	if rotation, err := a.Keys.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: &id}); err != nil {
		errs = append(errs, err)
	} else if !rotation.KeyRotationEnabled {
		_, err := request(ctx, a, a.Keys.EnableKeyRotation, &kms.EnableKeyRotationInput{KeyId: &id})
		errs = append(errs, a.doneUnless(err, "turned on rotation of key %s", want.Alias))
	}
	if aws.ToString(have.Description) != want.Description {
		_, err := request(ctx, a, a.Keys.UpdateKeyDescription,
			&kms.UpdateKeyDescriptionInput{KeyId: &id, Description: &want.Description})
		errs = append(errs, a.doneUnless(err, "changed the description of key %s", want.Alias))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cannot change the key %s: %w", want.Alias, err)
	}
	tags, err := a.tagsOf(ctx, *have.Arn)
	if err != nil {
		return fmt.Errorf("cannot read the tags of the key %s: %w", id, err)
	}
	return a.ensureTags(ctx, *have.Arn, want.Tags, tags)
}

// sameDocument compares what two JSON texts say.
func sameDocument(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// keepKey says until when a key can be kept that snapshots are sealed with, and how: one whose deletion is cancelled is
// disabled.
func keepKey(id string, snapshots []string, until time.Time) string {
	return fmt.Sprintf("the key %[1]s of snapshot %[2]s can be kept until %[3]s:\n  aws kms cancel-key-deletion "+
		"--key-id %[1]s && aws kms enable-key --key-id %[1]s",
		id, strings.Join(snapshots, ", "), until.UTC().Format("2006-01-02 15:04 MST"))
}

// sealedWith names the snapshots that are sealed with a key.
func (d *Deployer) sealedWith(ctx context.Context, key string) ([]string, error) {
	var names []string
	pages := elasticache.NewDescribeSnapshotsPaginator(d.Cache, &elasticache.DescribeSnapshotsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot describe the snapshots: %w", err)
		}
		for _, s := range page.Snapshots {
			if aws.ToString(s.KmsKeyId) == key && aws.ToString(s.SnapshotStatus) != "failed" {
				names = append(names, aws.ToString(s.SnapshotName))
			}
		}
	}
	return names, nil
}
