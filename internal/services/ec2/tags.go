package ec2

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// The rules for tags. Lengths count characters.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
	awsPrefix   = "aws:"
)

// newTags reads the tags of something new, which is of one type.
func newTags(given []types.TagSpecification, of types.ResourceType) (map[string]string, error) {
	tags := map[string]string{}
	for _, spec := range given {
		if spec.ResourceType != of {
			return nil, invalidValue("'%s' is not a valid taggable resource type for this operation.",
				spec.ResourceType)
		}
		if len(spec.Tags) == 0 {
			return nil, invalidValue("Tag specification must have at least one tag")
		}
		if err := addTags(tags, spec.Tags); err != nil {
			return nil, err
		}
	}
	return tags, nil
}

// addTags adds tags to those that are there.
func addTags(tags map[string]string, given []types.Tag) error {
	seen := map[string]bool{}
	for _, t := range given {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		switch {
		case key == "":
			return invalidValue("Tag key cannot be empty")
		case utf8.RuneCountInString(key) > maxTagKey:
			return invalidValue("Tag key '%s' exceeds the maximum length of %d characters", key, maxTagKey)
		case utf8.RuneCountInString(value) > maxTagValue:
			return invalidValue("The value of tag '%s' exceeds the maximum length of %d characters", key, maxTagValue)
		case strings.HasPrefix(strings.ToLower(key), awsPrefix):
			return invalidValue("Tag keys starting with '%s' are reserved for internal use", awsPrefix)
		case seen[key]:
			return invalidValue("Duplicate tag key '%s' specified.", key)
		}
		seen[key], tags[key] = true, value
	}
	if len(tags) > maxTags {
		return refuse("TagLimitExceeded",
			"The maximum number of Tags for a resource has been reached: it would have %d, and the limit is %d.",
			len(tags), maxTags)
	}
	return nil
}

// tagList is the form of the API, in the order of the keys.
func tagList(tags map[string]string) []types.Tag {
	list := []types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: &key, Value: new(tags[key])})
	}
	return list
}

func (s *Service) createTags(ctx context.Context, in *sdk.CreateTagsInput) (*sdk.CreateTagsOutput, error) {
	if len(in.Tags) == 0 {
		return nil, missing("Tags")
	}
	err := s.changeTags(ctx, in.Resources, false, func(tags map[string]string) error { return addTags(tags, in.Tags) })
	return &sdk.CreateTagsOutput{}, err
}

// deleteTags deletes all tags when none is given, and a tag that is given with a value only when it has that value.
func (s *Service) deleteTags(ctx context.Context, in *sdk.DeleteTagsInput) (*sdk.DeleteTagsOutput, error) {
	err := s.changeTags(ctx, in.Resources, len(in.Tags) == 0, func(tags map[string]string) error {
		if len(in.Tags) == 0 {
			clear(tags)
		}
		for _, t := range in.Tags {
			key := aws.ToString(t.Key)
			if key == "" {
				return invalidValue("Tag key cannot be empty")
			}
			if t.Value == nil || *t.Value == tags[key] {
				delete(tags, key)
			}
		}
		return nil
	})
	return &sdk.DeleteTagsOutput{}, err
}

// changeTags changes the tags of every resource, or of none. A change of all tags needs not know which they were.
func (s *Service) changeTags(ctx context.Context, ids []string, all bool, change func(map[string]string) error) error {
	if len(ids) == 0 {
		return missing("resourceIdSet")
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		for _, id := range ids {
			if err := checkTaggable(tx, id); err != nil {
				return err
			}
			tags, err := network.Tags(tx, id)
			if store.IsUnreadable(err) && all {
				tags, err = map[string]string{}, nil
			}
			if err != nil {
				return err
			}
			if err := change(tags); err != nil {
				return err
			}
			if err := network.SetTags(tx, id, tags); err != nil {
				return err
			}
		}
		return nil
	})
}

// resourceType is the type of what an id names.
func resourceType(id string) types.ResourceType {
	prefix, _, _ := strings.Cut(id, "-")
	return map[string]types.ResourceType{
		"vpc": types.ResourceTypeVpc, "subnet": types.ResourceTypeSubnet, "sg": types.ResourceTypeSecurityGroup,
		"sgr": types.ResourceTypeSecurityGroupRule, "rtb": types.ResourceTypeRouteTable,
		"acl": types.ResourceTypeNetworkAcl,
		"igw": types.ResourceTypeInternetGateway, "nat": types.ResourceTypeNatgateway,
		"eipalloc": types.ResourceTypeElasticIp,
	}[prefix]
}

// checkTaggable refuses the id of what is not there.
func checkTaggable(tx *store.Tx, id string) (err error) {
	switch resourceType(id) {
	case types.ResourceTypeVpc:
		_, err = find(tx, network.VPCs, id, vpcNotFound)
	case types.ResourceTypeSubnet:
		_, err = find(tx, network.Subnets, id, subnetNotFound)
	case types.ResourceTypeSecurityGroup:
		_, err = find(tx, network.SecurityGroups, id, groupNotFound)
	case types.ResourceTypeSecurityGroupRule:
		_, err = find(tx, network.Rules, id, ruleNotFound)
	case types.ResourceTypeRouteTable:
		_, err = find(tx, network.RouteTables, id, routeTableNotFound)
	case types.ResourceTypeNetworkAcl:
		_, err = find(tx, network.ACLs, id, aclNotFound)
	case types.ResourceTypeInternetGateway:
		_, err = find(tx, network.InternetGateways, id, internetGatewayNotFound)
	case types.ResourceTypeNatgateway:
		_, err = find(tx, network.NATGateways, id, natGatewayNotFound)
	case types.ResourceTypeElasticIp:
		_, err = find(tx, network.Addresses, id, allocationNotFound)
	default:
		err = refuse("InvalidID", "The ID '%s' is not valid", id)
	}
	return err
}

func (s *Service) describeTags(_ context.Context, in *sdk.DescribeTagsInput) (*sdk.DescribeTagsOutput, error) {
	var all []types.TagDescription
	err := s.Store.View(func(tx *store.Tx) error {
		byID, err := network.AllTags(tx)
		for id, tags := range byID {
			for key, value := range tags {
				all = append(all, types.TagDescription{ResourceId: &id, ResourceType: resourceType(id), Key: &key,
					Value: &value})
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	l := listing[types.TagDescription]{key: func(t types.TagDescription) string { return *t.ResourceId + " " + *t.Key },
		filters: tagFilters()}
	tags, token, err := l.pick(all, request{filters: in.Filters, limit: in.MaxResults, token: in.NextToken})
	return &sdk.DescribeTagsOutput{Tags: tags, NextToken: token}, err
}

func tagFilters() filters[types.TagDescription] {
	type tag = types.TagDescription
	return filters[tag]{
		"key":           text(func(t tag) *string { return t.Key }),
		"resource-id":   text(func(t tag) *string { return t.ResourceId }),
		"resource-type": func(t tag) []string { return []string{string(t.ResourceType)} },
		"value":         text(func(t tag) *string { return t.Value }),
		tagFilter:       func(t tag) []string { return []string{*t.Key + "=" + *t.Value} },
	}
}
