package secretsmanager

import (
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"larder/internal/constraint"
	"larder/internal/tagging"
)

// front is what the service's model allows. Sources: the API reference of Secrets Manager, and recorded answers of AWS.
// What the service says in words of its own, such as that a token is missing, has no rule here.
func front() *constraint.Front {
	secretID := []string{"SecretId"}
	version := constraint.Rule{Least: minToken, Most: maxToken}
	stage := constraint.Rule{Least: 1, Most: maxStage}
	data := constraint.Rule{Least: 1, Most: maxValue, Withheld: true}
	return &constraint.Front{
		Code: "ValidationException",
		Required: map[string][]string{
			"CreateSecretInput": {"Name"}, "DeleteResourcePolicyInput": secretID, "DeleteSecretInput": secretID,
			"DescribeSecretInput": secretID, "GetResourcePolicyInput": secretID, "GetSecretValueInput": secretID,
			"ListSecretVersionIdsInput": secretID, "PutResourcePolicyInput": {"SecretId", "ResourcePolicy"},
			"PutSecretValueInput": secretID, "RestoreSecretInput": secretID, "TagResourceInput": {"SecretId", "Tags"},
			"UntagResourceInput": {"SecretId", "TagKeys"}, "UpdateSecretInput": secretID,
			"UpdateSecretVersionStageInput": {"SecretId", "VersionStage"},
		},
		Rules: constraint.Rules{
			"Name": {Least: 1, Most: maxName}, "SecretId": {Least: 1, Most: maxID},
			"Description":  {Most: maxDescription},
			"KmsKeyId":     {Most: maxID},
			"SecretIdList": {Least: 1, Most: maxBatch, Each: &constraint.Rule{Least: 1, Most: maxID}},

			"ClientRequestToken": version, "SecretBinary": data, "SecretString": data, "VersionId": version,
			"MoveToVersionId": version, "RemoveFromVersionId": version, "VersionStage": stage,
			"VersionStages": {Least: 1, Most: maxStages, Each: &stage},

			"Filters": {Most: maxFilters}, "Filter.Key": filterKeys(),
			"Filter.Values": {Least: 1, Most: maxFilterValues, Each: &constraint.Rule{
				Most: 512, Pattern: `^\!?[a-zA-Z0-9 :_@\/\+\=\.\-\!]*$`,
			}},
			"MaxResults":                          {Least: 1, Most: maxResults},
			"BatchGetSecretValueInput.MaxResults": {Least: 1, Most: maxBatch},
			"NextToken":                           {Least: 1, Most: 4096},

			"ExcludeCharacters": {Most: 4096}, "PasswordLength": {Least: 1, Most: maxPassword},
			"ResourcePolicy": {Least: 1, Most: maxPolicy},
			"Tag.Key":        {Least: 1, Most: tagging.MaxKey}, "Tag.Value": {Most: tagging.MaxValue},
			"TagKeys": {Each: &constraint.Rule{Least: 1, Most: tagging.MaxKey}},
		},
	}
}

// filterKeys lists the keys as AWS answered when it knew five. The two others came later.
func filterKeys() constraint.Rule {
	return constraint.Rule{
		Values: []string{"all", "name", "tag-key", "description", "tag-value"},
		Unlisted: []string{
			string(types.FilterNameStringTypePrimaryRegion), string(types.FilterNameStringTypeOwningService),
		},
	}
}
