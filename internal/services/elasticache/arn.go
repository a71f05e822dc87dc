package elasticache

import (
	"fmt"
	"strings"
)

// Resource types, as ARNs name them.
const (
	groupResource          = "replicationgroup"
	clusterResource        = "cluster"
	subnetGroupResource    = "subnetgroup"
	parameterGroupResource = "parametergroup"
	snapshotResource       = "snapshot"
)

// The partition and the service that every ARN of this service names.
const (
	partition   = "aws"
	serviceName = "elasticache"
)

func (s *Service) arn(resource, name string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s:%s", partition, serviceName, s.Region, s.Account, resource, name)
}

// parseARN returns the resource type and the name that an ARN of this account and region holds.
func (s *Service) parseARN(arn string) (resource, name string, err error) {
	parts := strings.Split(arn, ":")
	switch {
	case len(parts) != 7:
		return "", "", invalidARN("Input ARN string does not have 7 components.")
	case parts[0] != "arn":
		return "", "", invalidARN("arn field is wrong. Expected value is arn")
	case parts[1] != partition:
		return "", "", invalidARN("partition field is wrong. Expected value is %s", partition)
	case parts[2] != serviceName:
		return "", "", invalidARN("service field is wrong. Expected value is %s", serviceName)
	case parts[3] != s.Region || parts[4] != s.Account:
		return "", "", invalidValue("Unauthorized call. Please check the region or customer id")
	}
	return parts[5], strings.ToLower(parts[6]), nil
}
