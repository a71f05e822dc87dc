package elasticache

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/catalog"
)

// describeEngineVersions lists the versions that a request may name: those that a server on this machine runs. Of
// engines that larder does not run, none is.
func (s *Service) describeEngineVersions(
	_ context.Context, in *sdk.DescribeCacheEngineVersionsInput,
) (*sdk.DescribeCacheEngineVersionsOutput, error) {
	releases := slices.DeleteFunc(s.Versions.Releases(), func(r catalog.Release) bool {
		return s.StrictVersions && !r.Exact() || aws.ToBool(in.DefaultOnly) && !s.isDefault(r) ||
			!matches(in.Engine, redis) || !matches(in.EngineVersion, r.Requestable()) ||
			!matches(in.CacheParameterGroupFamily, r.Family())
	})
	releases, marker, err := page(releases, age, in.MaxRecords, in.Marker)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeCacheEngineVersionsOutput{CacheEngineVersions: []types.CacheEngineVersion{}, Marker: marker}
	for _, r := range releases {
		out.CacheEngineVersions = append(out.CacheEngineVersions, types.CacheEngineVersion{
			Engine: new(redis), EngineVersion: new(r.Requestable()), CacheParameterGroupFamily: new(r.Family()),
			CacheEngineDescription: new("Redis"), CacheEngineVersionDescription: new("redis version " + r.Version),
		})
	}
	return out, nil
}

// isDefault tells whether a release is what a request gets that names none.
func (s *Service) isDefault(r catalog.Release) bool {
	standard, err := s.Versions.Resolve("")
	return err == nil && r == standard
}

// age orders releases, oldest first.
func age(r catalog.Release) string {
	major, minor, _ := strings.Cut(r.Requestable(), ".")
	return fmt.Sprintf("%4s.%4s", major, minor)
}

// matches tells whether a filter lets a value through.
func matches(filter *string, value string) bool {
	return aws.ToString(filter) == "" || *filter == value
}
