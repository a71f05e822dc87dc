package elasticache

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// The texts are the service's own where facts/errors.csv has them.

func invalidValue(format string, args ...any) error {
	return &types.InvalidParameterValueException{Message: new(fmt.Sprintf(format, args...))}
}

func invalidCombination(format string, args ...any) error {
	return &types.InvalidParameterCombinationException{Message: new(fmt.Sprintf(format, args...))}
}

// missing says that a parameter was left out or is blank.
func missing(parameter string) error {
	return invalidValue("The parameter %s must be provided and must not be blank.", parameter)
}

func invalidARN(format string, args ...any) error {
	return &types.InvalidARNFault{Message: new(fmt.Sprintf(format, args...))}
}

func invalidKey(key string) error {
	return &types.InvalidKMSKeyFault{Message: new("The KMS key " + key + " does not exist, or is not enabled.")}
}

func tooOldForMode(version string) error {
	return invalidCombination("Transit encryption mode is not supported for engine version %s. "+
		"Please use engine version %s or higher.", version, oldestWithMode)
}

// checkClassic refuses the security groups of EC2-Classic, as AWS does in accounts that have a VPC only.
func checkClassic(cacheSecurityGroups []string) error {
	if len(cacheSecurityGroups) > 0 {
		return invalidValue("Use of cache security groups is not permitted in this API version for your account.")
	}
	return nil
}

func replicationGroupNotFound(id string) error {
	return &types.ReplicationGroupNotFoundFault{Message: new(fmt.Sprintf("Replication group %s not found.", id))}
}

func cacheClusterNotFound(id string) error {
	return &types.CacheClusterNotFoundFault{Message: new("CacheCluster not found: " + id)}
}

func subnetGroupNotFound(name string) error {
	return &types.CacheSubnetGroupNotFoundFault{Message: new(fmt.Sprintf("Cache subnet group %s not found.", name))}
}

// parameterGroupNotFound has the text of the calls that use a group; those that describe and delete one have others.
func parameterGroupNotFound(name string) error {
	return &types.CacheParameterGroupNotFoundFault{Message: new("CacheParameterGroup not found: " + name)}
}

func noSuchParameterGroup(name string) error {
	return &types.CacheParameterGroupNotFoundFault{Message: new(fmt.Sprintf("CacheParameterGroup %s not found.", name))}
}
