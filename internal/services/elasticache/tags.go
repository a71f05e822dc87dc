package elasticache

import (
	"context"
	"errors"
	"fmt"
	"maps"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/audit"
	"larder/internal/cache"
	"larder/internal/state"
	"larder/internal/store"
)

// clusterTags holds the tags of clusters that were tagged themselves, by cluster id. The others have their group's.
const clusterTags = store.Table[map[string]string]("cache-cluster-tags")

// Tables are those of this package.
func Tables() []store.Checker { return []store.Checker{clusterTags} }

// tagged is a at where tags are kept.
type tagged struct {
	tags map[string]string
	put  func(tags map[string]string) error
}

func (s *Service) addTags(ctx context.Context, in *sdk.AddTagsToResourceInput) (*sdk.AddTagsToResourceOutput, error) {
	list, err := s.changeTags(ctx, in.ResourceName,
		func(_ int, tags map[string]string) error { return setTags(tags, in.Tags) })
	if err != nil {
		return nil, err
	}
	return &sdk.AddTagsToResourceOutput{TagList: list}, nil
}

func (s *Service) removeTags(
	ctx context.Context, in *sdk.RemoveTagsFromResourceInput,
) (*sdk.RemoveTagsFromResourceOutput, error) {
	list, err := s.changeTags(ctx, in.ResourceName, func(at int, tags map[string]string) error {
		for _, key := range in.TagKeys {
			if _, ok := tags[key]; !ok && at == 0 {
				return &types.TagNotFoundFault{Message: new(fmt.Sprintf("Tag with key %q not found.", key))}
			}
			delete(tags, key)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.RemoveTagsFromResourceOutput{TagList: list}, nil
}

// changeTags changes every copy of a resource's tags. The first, number 0, is its own.
func (s *Service) changeTags(
	ctx context.Context, arn *string, change func(at int, tags map[string]string) error,
) (list []types.Tag, err error) {
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		copies, err := s.tagged(tx, arn)
		if err != nil {
			return err
		}
		for i, p := range copies {
			if p.put == nil {
				return invalidValue("The resource %s is a default and cannot be tagged.", *arn)
			}
			tags := map[string]string{}
			maps.Copy(tags, p.tags)
			if err := change(i, tags); err != nil {
				return err
			}
			if err := p.put(tags); err != nil {
				return err
			}
			if i == 0 {
				list = tagList(tags)
			}
		}
		return nil
	})
	return list, err
}

func (s *Service) listTags(
	_ context.Context, in *sdk.ListTagsForResourceInput,
) (*sdk.ListTagsForResourceOutput, error) {
	out := &sdk.ListTagsForResourceOutput{}
	err := s.Store.View(func(tx *store.Tx) error {
		copies, err := s.tagged(tx, in.ResourceName)
		if err != nil {
			return err
		}
		out.TagList = tagList(copies[0].tags)
		return nil
	})
	return out, err
}

// tagged finds the copies of a resource's tags. A copy without put cannot be changed.
func (s *Service) tagged(tx *store.Tx, arn *string) ([]tagged, error) {
	resource, name, err := s.parseARN(*arn)
	if err != nil {
		return nil, err
	}
	switch resource {
	case groupResource:
		return s.taggedGroup(tx, name)
	case clusterResource:
		return s.taggedCluster(tx, name)
	case subnetGroupResource:
		return s.taggedSubnetGroup(tx, name)
	case parameterGroupResource:
		return s.taggedParameterGroup(tx, name)
	case snapshotResource:
		return s.taggedSnapshot(tx, name)
	}
	return nil, invalidARN("The resource type %s of the ARN %s is not one that larder keeps: %s, %s, %s, %s or %s.",
		resource, *arn, groupResource, clusterResource, subnetGroupResource, parameterGroupResource, snapshotResource)
}

// taggedGroup also names the tags of members that have some of their own: tags on a group are copied to its clusters.
func (s *Service) taggedGroup(tx *store.Tx, id string) ([]tagged, error) {
	g, err := replicationGroup(tx, id)
	if err != nil {
		return nil, err
	}
	if g.Status != cache.Available {
		return nil, notTaggable()
	}
	copies := []tagged{{g.Tags, func(tags map[string]string) error {
		g.Tags = tags
		return state.ReplicationGroups.Put(tx, g.ID, *g.ReplicationGroup)
	}}}
	for _, m := range g.Members() {
		own, err := clusterTags.Get(tx, m.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		copies = append(copies, tagged{own, putClusterTags(tx, m.ID)})
	}
	return copies, nil
}

func notTaggable() error {
	return &types.InvalidReplicationGroupStateFault{Message: new("Cluster not in available state to perform tagging " +
		"operations.")}
}

func (s *Service) taggedCluster(tx *store.Tx, id string) ([]tagged, error) {
	groups, err := groupsWith(tx, id)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		m := g.Member(id)
		if m == nil || m.Status != cache.MemberAvailable {
			continue
		}
		tags, err := clusterTags.Get(tx, id)
		if errors.Is(err, store.ErrNotFound) {
			tags, err = g.Tags, nil
		}
		return []tagged{{tags, putClusterTags(tx, id)}}, err
	}
	return nil, &types.CacheClusterNotFoundFault{Message: new(id + " is either not present or not available.")}
}

func putClusterTags(tx *store.Tx, id string) func(map[string]string) error {
	return func(tags map[string]string) error { return clusterTags.Put(tx, id, tags) }
}

func (s *Service) taggedSubnetGroup(tx *store.Tx, name string) ([]tagged, error) {
	g, err := s.subnetGroup(tx, name)
	if err != nil || name == defaultSubnetGroup {
		return []tagged{{}}, err
	}
	return []tagged{{g.Tags, func(tags map[string]string) error {
		g.Tags = tags
		return state.SubnetGroups.Put(tx, name, g)
	}}}, nil
}

func (s *Service) taggedSnapshot(tx *store.Tx, name string) ([]tagged, error) {
	found, err := snapshot(tx, name)
	return []tagged{{found.Tags, func(tags map[string]string) error {
		found.Tags = tags
		return state.Snapshots.Put(tx, name, found)
	}}}, err
}

func (s *Service) taggedParameterGroup(tx *store.Tx, name string) ([]tagged, error) {
	g, err := s.parameterGroup(tx, name)
	if errors.Is(err, store.ErrNotFound) {
		err = parameterGroupNotFound(name)
	}
	if err != nil || isDefault(name) {
		return []tagged{{}}, err
	}
	return []tagged{{g.Tags, func(tags map[string]string) error {
		g.Tags = tags
		return state.ParameterGroups.Put(tx, name, g)
	}}}, nil
}
