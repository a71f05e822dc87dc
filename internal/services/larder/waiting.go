package larder

import (
	"context"
	"strconv"

	"larder/internal/cache"
)

func (s *Service) describeWaiting(_ context.Context, in *DescribeWaitingInput) (*DescribeWaitingOutput, error) {
	rg, err := s.group(in.ReplicationGroupId)
	if err != nil || rg.Deferred == nil {
		return &DescribeWaitingOutput{}, err
	}
	return &DescribeWaitingOutput{Changes: waiting(*rg.Deferred)}, nil
}

// waiting lists what is deferred by the fields of ModifyReplicationGroup.
func waiting(d cache.Deferred) (all []WaitingChange) {
	for _, c := range []WaitingChange{
		{"CacheNodeType", d.NodeType}, {"EngineVersion", d.EngineVersion},
		{"CacheParameterGroupName", d.ParameterGroup}, {"PrimaryClusterId", d.Primary},
		{"AutomaticFailoverEnabled", boolText(d.AutomaticFailover)}, {"MultiAZEnabled", boolText(d.MultiAZ)},
	} {
		if c.Value != "" {
			all = append(all, c)
		}
	}
	return all
}

func boolText(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}
