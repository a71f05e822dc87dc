package kms

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"larder/internal/audit"
	"larder/internal/caller"
	"larder/internal/paging"
	"larder/internal/store"
)

const (
	aliasPrefix = "alias/"
	ownPrefix   = "alias/aws/" // AWS's own
	maxAlias    = 256
)

// alias is another name of a key.
type alias struct {
	Name    string // with its prefix
	Target  string // a key's id
	Created time.Time
	Updated time.Time
}

var validAlias = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)

func checkAlias(name *string) error {
	switch {
	case !strings.HasPrefix(*name, aliasPrefix):
		return validation(`Alias must start with the prefix "alias/". Please see ` +
			"https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	case strings.HasPrefix(*name, ownPrefix):
		return clientError("NotAuthorizedException", "%s begins with %s, which is kept for AWS's own keys", *name,
			ownPrefix)
	case !validAlias.MatchString(*name):
		return &types.InvalidAliasNameException{Message: new(*name +
			" contains invalid characters for an alias: letters, digits and / _ - are valid")}
	}
	return nil
}

// aliasTarget finds the key that an alias shall stand for, as action asks for.
func (s *Service) aliasTarget(ctx context.Context, tx *store.Tx, action string, id *string) (key, error) {
	k, err := s.find(tx, id)
	if err != nil {
		return key{}, err
	}
	return k, errors.Join(s.admit(user{by: caller.Of(ctx), action: action}, k), s.alive(k))
}

func (s *Service) createAlias(ctx context.Context, in *sdk.CreateAliasInput) (*sdk.CreateAliasOutput, error) {
	if err := checkAlias(in.AliasName); err != nil {
		return nil, err
	}
	if err := s.lend(in.TargetKeyId); err != nil {
		return nil, err
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if err := s.purge(tx); err != nil {
			return err
		}
		k, err := s.aliasTarget(ctx, tx, "CreateAlias", in.TargetKeyId)
		if err != nil {
			return err
		}
		_, err = aliases.Get(tx, *in.AliasName)
		if err == nil {
			return &types.AlreadyExistsException{Message: new("An alias with the name " + s.arn(*in.AliasName) +
				" already exists")}
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return aliases.Put(tx, *in.AliasName,
			alias{Name: *in.AliasName, Target: k.ID, Created: s.Now(), Updated: s.Now()})
	})
	return &sdk.CreateAliasOutput{}, err
}

// changeAlias finds an alias and changes it in the same transaction.
func (s *Service) changeAlias(ctx context.Context, name *string, change func(*store.Tx, alias) error) error {
	if err := checkAlias(name); err != nil {
		return err
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if err := s.purge(tx); err != nil {
			return err
		}
		a, err := aliases.Get(tx, *name)
		if errors.Is(err, store.ErrNotFound) {
			return notFound("Alias %s is not found.", s.arn(*name))
		}
		if err != nil {
			return err
		}
		return change(tx, a)
	})
}

func (s *Service) updateAlias(ctx context.Context, in *sdk.UpdateAliasInput) (*sdk.UpdateAliasOutput, error) {
	if err := s.lend(in.TargetKeyId); err != nil {
		return nil, err
	}
	err := s.changeAlias(ctx, in.AliasName, func(tx *store.Tx, a alias) error {
		k, err := s.aliasTarget(ctx, tx, "UpdateAlias", in.TargetKeyId)
		if err != nil {
			return err
		}
		a.Target, a.Updated = k.ID, s.Now()
		return aliases.Put(tx, a.Name, a)
	})
	return &sdk.UpdateAliasOutput{}, err
}

func (s *Service) deleteAlias(ctx context.Context, in *sdk.DeleteAliasInput) (*sdk.DeleteAliasOutput, error) {
	err := s.changeAlias(ctx, in.AliasName, func(tx *store.Tx, a alias) error { return aliases.Delete(tx, a.Name) })
	if store.IsUnreadable(err) {
		err = audit.Update(ctx, s.Store, func(tx *store.Tx) error { return aliases.Delete(tx, *in.AliasName) })
	}
	return &sdk.DeleteAliasOutput{}, err
}

func (s *Service) listAliases(_ context.Context, in *sdk.ListAliasesInput) (*sdk.ListAliasesOutput, error) {
	if err := s.lend(in.KeyId); err != nil {
		return nil, err
	}
	var shown []alias
	err := s.Store.View(func(tx *store.Tx) (err error) {
		shown, err = s.liveAliases(tx, in.KeyId)
		return err
	})
	if err != nil {
		return nil, err
	}
	shown, marker, err := page(shown, func(a alias) string { return a.Name }, maxAliases, in.Limit, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.ListAliasesOutput{Aliases: []types.AliasListEntry{}, NextMarker: marker, Truncated: marker != nil}
	for _, a := range shown {
		entry := types.AliasListEntry{AliasName: &a.Name, AliasArn: new(s.arn(a.Name))}
		if a.Target != "" { // or else nobody has used the predefined alias yet
			entry.TargetKeyId, entry.CreationDate, entry.LastUpdatedDate = &a.Target, &a.Created, &a.Updated
		}
		out.Aliases = append(out.Aliases, entry)
	}
	return out, nil
}

// liveAliases lists the aliases of a key, or all of them with those that are predefined, in the order of the names.
func (s *Service) liveAliases(tx *store.Tx, of *string) ([]alias, error) {
	target := ""
	if of != nil {
		k, err := s.find(tx, of)
		if err != nil {
			return nil, err
		}
		target = k.ID
	}
	var live []alias
	for a, err := range aliases.Readable(tx, "") {
		if err != nil {
			return nil, err
		}
		if target != "" && a.Target != target {
			continue
		}
		switch _, err := s.find(tx, &a.Target); {
		case err == nil, store.IsUnreadable(err): // the key is there
			live = append(live, a)
		case !isNotFound(err):
			return nil, err
		}
	}
	if of == nil {
		live = withPredefined(live)
	}
	return live, nil
}

// How many there can be on a page.
const (
	maxAliases = 100
	maxTags    = 50
	maxPage    = 1000 // of a list without a bound of its own
)

const defaultLimit = 50

// page returns the rows, in the order of their keys, that a request asks for, and the marker of the next page when
// there is one.
func page[T any](rows []T, key func(T) string, most int, limit *int32, marker *string) ([]T, *string, error) {
	size := defaultLimit
	if limit != nil {
		size = min(int(*limit), most)
	}
	rows, next, err := paging.Page(rows, key, strings.Compare, size, marker)
	if err != nil {
		return nil, nil, &types.InvalidMarkerException{Message: new("The Marker is not one of an earlier answer.")}
	}
	return rows, next, nil
}
