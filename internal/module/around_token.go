package module

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smtypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// KeptToken is what modules/secrets makes: a secret with a token, given or generated.
type KeptToken struct {
	Create       *secretsmanager.CreateSecretInput // complete but for its SecretString
	RecoveryDays int32
	Token        Secret // "" when one is to be generated
	Length       int    // characters of a generated token
	Tags         map[string]string
}

type keptTokenInputs struct {
	common
	AuthToken  Secret
	Length     int
	SecretName *string
	KMSKeyARN  *string
	Recovery   int
}

func keptTokenTable() []InputOf[keptTokenInputs] {
	return append(commonInputs(func(in *keptTokenInputs) *common { return &in.common }),
		optional("auth_token", Secret(""), "The token to keep; empty to have one generated",
			func(in *keptTokenInputs) *Secret { return &in.AuthToken }, token).secret(),
		optional("auth_token_length", 64, "Characters of a generated token",
			func(in *keptTokenInputs) *int { return &in.Length }, between(16, 128, "characters of a token")),
		optional("secret_name", (*string)(nil),
			"Name of the secret; null for <project>/<environment>/redis-auth-token, beside modules/redis's own "+
				"<project>/<environment>/redis",
			func(in *keptTokenInputs) *(*string) { return &in.SecretName }),
		optional("kms_key_arn", (*string)(nil), "KMS key of the secret; null for the account's own",
			func(in *keptTokenInputs) *(*string) { return &in.KMSKeyARN }),
		optional("recovery_window_in_days", 7, "Days a deleted secret can be recovered",
			func(in *keptTokenInputs) *int { return &in.Recovery }, recoveryWindow),
	)
}

func keptToken(in keptTokenInputs) *KeptToken {
	name := in.ProjectName + "/" + in.Environment + "/redis-auth-token"
	if in.SecretName != nil && *in.SecretName != "" {
		name = *in.SecretName
	}
	create := &secretsmanager.CreateSecretInput{
		Name: &name, Description: aws.String("Redis auth token of " + in.ProjectName + " in " + in.Environment),
		KmsKeyId: in.KMSKeyARN,
	}
	all := in.tags()
	for _, key := range sortedKeys(all) {
		create.Tags = append(create.Tags, smtypes.Tag{Key: aws.String(key), Value: aws.String(all[key])})
	}
	return &KeptToken{Create: create, RecoveryDays: int32(in.Recovery), Token: in.AuthToken, Length: in.Length,
		Tags: all}
}
