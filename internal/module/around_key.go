package module

import "encoding/json"

// Key is what modules/kms makes: a key that is rotated, with an alias.
type Key struct {
	Alias        string
	Description  string
	Policy       string // as JSON
	DeletionDays int32  // in which its deletion can be taken back
	Tags         map[string]string
}

type keyInputs struct {
	common
	DeletionWindow int
}

func keyTable() []InputOf[keyInputs] {
	return append(commonInputs(func(in *keyInputs) *common { return &in.common }),
		optional("deletion_window_in_days", 30, "Days a deleted key can be recovered",
			func(in *keyInputs) *int { return &in.DeletionWindow },
			between(7, 30, "days a deleted key can be recovered")))
}

// statement is one of a policy; a condition is operator, variable, value, ...
func statement(
	sid, principalKind, principal string, actions []string, resource string, conditions ...[3]string,
) map[string]any {
	s := map[string]any{"Sid": sid, "Effect": "Allow", "Principal": map[string]any{principalKind: principal},
		"Action": actions, "Resource": resource}
	if len(actions) == 1 {
		s["Action"] = actions[0]
	}
	if len(conditions) > 0 {
		all := map[string]any{}
		for _, c := range conditions {
			all[c[0]] = map[string]any{c[1]: c[2]}
		}
		s["Condition"] = all
	}
	return s
}

func policy(statements ...map[string]any) string {
	raw, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err) // maps and texts always marshal
	}
	return string(raw)
}

// key lets the account's own policies decide, alarms publish to topics that it encrypts, and CloudWatch Logs keep
// Redis's logs.
func key(in keyInputs, at location) *Key {
	return &Key{
		Alias: "alias/" + in.name(), Description: "Data of " + in.name(), DeletionDays: int32(in.DeletionWindow),
		Tags: in.tags(),
		Policy: policy(
			statement("Account", "AWS", "arn:aws:iam::"+at.account+":root", []string{"kms:*"}, "*"),
			statement("Alarms", "Service", "cloudwatch.amazonaws.com", []string{"kms:Decrypt", "kms:GenerateDataKey*"},
				"*",
				[3]string{"StringEquals", "aws:SourceAccount", at.account},
				[3]string{"ArnLike", "aws:SourceArn", at.arn("cloudwatch", "alarm:"+in.name()+"-*")}),
			statement("Logs", "Service", "logs."+at.region+".amazonaws.com",
				[]string{"kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*",
					"kms:ReEncrypt*"}, "*",
				[3]string{"ArnLike", "kms:EncryptionContext:aws:logs:arn",
					at.arn("logs", "log-group:/aws/elasticache/"+in.name()+"-*")}),
		),
	}
}
