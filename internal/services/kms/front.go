package kms

import (
	"larder/internal/constraint"
	"larder/internal/tagging"
)

// front is what the service's model allows. Sources: the API reference of KMS, and answers that were recorded from AWS.
// The reference bounds PendingWindowInDays by 1 and 365 in one place, and by 7 and 30, which the service goes by, in
// another.
func front() *constraint.Front {
	principal := constraint.Rule{Least: 1, Most: 256, Pattern: `[\w+=,.@:/-]+`}
	return &constraint.Front{
		Code: "ValidationException",
		Required: map[string][]string{
			"CancelKeyDeletionInput": {"KeyId"}, "CreateAliasInput": {"AliasName", "TargetKeyId"},
			"DecryptInput":     {"CiphertextBlob"},
			"DeleteAliasInput": {"AliasName"}, "DescribeKeyInput": {"KeyId"}, "DisableKeyInput": {"KeyId"},
			"DisableKeyRotationInput": {"KeyId"},
			"EnableKeyInput":          {"KeyId"}, "EnableKeyRotationInput": {"KeyId"}, "EncryptInput": {"KeyId",
				"Plaintext"},
			"GenerateDataKeyInput": {"KeyId"}, "GenerateDataKeyWithoutPlaintextInput": {"KeyId"},
			"GetKeyPolicyInput":         {"KeyId"},
			"GetKeyRotationStatusInput": {"KeyId"}, "ListGrantsInput": {"KeyId"}, "ListKeyPoliciesInput": {"KeyId"},
			"ListResourceTagsInput": {"KeyId"}, "ListRetirableGrantsInput": {"RetiringPrincipal"},
			"PutKeyPolicyInput": {"KeyId", "Policy"}, "ReEncryptInput": {"CiphertextBlob", "DestinationKeyId"},
			"ScheduleKeyDeletionInput": {"KeyId"}, "Tag": {"TagKey", "TagValue"}, "TagResourceInput": {"KeyId", "Tags"},
			"UntagResourceInput": {"KeyId", "TagKeys"}, "UpdateAliasInput": {"AliasName", "TargetKeyId"},
			"UpdateKeyDescriptionInput": {"KeyId", "Description"},
		},
		Rules: constraint.Rules{
			"AliasName": {Least: 1, Most: maxAlias}, "CiphertextBlob": {Least: 1, Most: maxCiphertext, Withheld: true},
			"Description":      {Most: maxDescription},
			"DestinationKeyId": {Least: 1, Most: 2048}, "KeyId": {Least: 1, Most: 2048},
			"GrantId": {Least: 1, Most: 128}, "GranteePrincipal": principal, "RetiringPrincipal": principal,
			"Limit":                          {Least: 1, Most: maxPage},
			"ListAliasesInput.Limit":         {Least: 1, Most: maxAliases},
			"ListGrantsInput.Limit":          {Least: 1, Most: maxAliases},
			"ListResourceTagsInput.Limit":    {Least: 1, Most: maxTags},
			"ListRetirableGrantsInput.Limit": {Least: 1, Most: maxAliases},
			"Marker":                         {Least: 1, Most: 1024}, "NumberOfBytes": {Least: 1, Most: maxDataKey},
			"PendingWindowInDays":  {Least: minWindow, Most: maxWindow},
			"Plaintext":            {Least: 1, Most: maxPlaintext, Withheld: true},
			"Policy":               {Least: 1, Most: maxPolicy},
			"PolicyName":           {Least: 1, Most: 128, Pattern: `[\w]+`},
			"RotationPeriodInDays": {Least: minPeriod, Most: maxPeriod},
			"SourceKeyId":          {Least: 1, Most: 2048}, "Tag.TagKey": {Least: 1, Most: tagging.MaxKey},
			"Tag.TagValue": {Most: tagging.MaxValue},
			"TagKeys":      {Each: &constraint.Rule{Least: 1, Most: tagging.MaxKey}},
			"TargetKeyId":  {Least: 1, Most: 2048},
		},
	}
}
