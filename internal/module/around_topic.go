package module

// Topic is one of what modules/sns makes: alarms go to critical and warning, ElastiCache's own events to info.
type Topic struct {
	Level  string // critical, warning or info
	Name   string
	ARN    string
	KeyARN string // "" for none: ElastiCache does not publish to an encrypted topic
	Policy string // as JSON
	Emails []string
	Tags   map[string]string
}

type topicInputs struct {
	common
	KMSKeyARN               *string
	Critical, Warning, Info []string
}

func topicTable() []InputOf[topicInputs] {
	emails := func(level, what string, field func(*topicInputs) *[]string) InputOf[topicInputs] {
		return optional(level+"_emails", []string{}, "Addresses that "+what+" go to; each gets a mail to confirm",
			field)
	}
	return append(commonInputs(func(in *topicInputs) *common { return &in.common }),
		optional("kms_key_arn", (*string)(nil),
			"KMS key of the critical and warning topics; null for none. ElastiCache does not publish to an encrypted "+
				"topic, so the info topic has none",
			func(in *topicInputs) *(*string) { return &in.KMSKeyARN }, given(anyKeyARN)),
		emails("critical", "critical messages", func(in *topicInputs) *[]string { return &in.Critical }),
		emails("warning", "warnings", func(in *topicInputs) *[]string { return &in.Warning }),
		emails("info", "ElastiCache's events", func(in *topicInputs) *[]string { return &in.Info }),
	)
}

func topics(in topicInputs, at location) []Topic {
	var all []Topic
	for _, level := range []struct {
		name   string
		emails []string
	}{{"critical", in.Critical}, {"warning", in.Warning}, {"info", in.Info}} {
		name := in.name() + "-" + level.name
		statements := []map[string]any{topicOwner(at, name)}
		t := Topic{Level: level.name, Name: name, ARN: at.arn("sns", name), Emails: level.emails, Tags: in.tags()}
		if level.name != "info" {
			t.KeyARN = text(in.KMSKeyARN)
			statements = append(statements,
				statement("Alarms", "Service", "cloudwatch.amazonaws.com", []string{"sns:Publish"}, at.arn("sns", name),
					[3]string{"StringEquals", "aws:SourceAccount", at.account},
					[3]string{"ArnLike", "aws:SourceArn", at.arn("cloudwatch", "alarm:"+in.name()+"-*")}))
		}
		t.Policy = policy(statements...)
		all = append(all, t)
	}
	return all
}

// topicOwner lets in the account's own principals, which is also how ElastiCache publishes.
func topicOwner(at location, name string) map[string]any {
	return statement("Account", "AWS", "*", []string{
		"sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:AddPermission", "sns:RemovePermission",
		"sns:DeleteTopic", "sns:Subscribe",
		"sns:ListSubscriptionsByTopic", "sns:Publish",
	}, at.arn("sns", name), [3]string{"StringEquals", "AWS:SourceOwner", at.account})
}
