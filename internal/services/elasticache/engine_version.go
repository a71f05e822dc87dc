package elasticache

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
)

// describeEngineVersions lists the servers that are installed, by the versions that a request may name. Of engines that larder
// does not run, none is.
func (s *Service) describeEngineVersions(_ context.Context, in *sdk.DescribeCacheEngineVersionsInput) (*sdk.DescribeCacheEngineVersionsOutput, error) {
	versions := slices.Clone(s.Versions)
	if aws.ToBool(in.DefaultOnly) {
		versions = versions[max(0, len(versions)-1):]
	}
	versions = slices.DeleteFunc(versions, func(v cache.EngineVersion) bool {
		latest, err := s.Versions.Resolve(v.Requestable())
		return err != nil || v != latest || // an older patch of the same version
			!matches(in.Engine, redis) || !matches(in.EngineVersion, v.Requestable()) || !matches(in.CacheParameterGroupFamily, cache.Family)
	})
	versions, marker, err := page(versions, s.age, in.MaxRecords, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeCacheEngineVersionsOutput{CacheEngineVersions: []types.CacheEngineVersion{}, Marker: marker}
	for _, v := range versions {
		out.CacheEngineVersions = append(out.CacheEngineVersions, types.CacheEngineVersion{
			Engine: new(redis), EngineVersion: new(v.Requestable()), CacheParameterGroupFamily: new(cache.Family),
			CacheEngineDescription: new("Redis"), CacheEngineVersionDescription: new("redis version " + v.Version),
		})
	}
	return out, nil
}

// age orders versions, oldest first.
func (s *Service) age(v cache.EngineVersion) string {
	return fmt.Sprintf("%04d", slices.Index(s.Versions, v))
}

// matches tells whether a filter lets a value through.
func matches(filter *string, value string) bool {
	return aws.ToString(filter) == "" || *filter == value
}
