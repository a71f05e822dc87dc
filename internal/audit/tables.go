package audit

// isHidden tells whether a member's value is never recorded.
func isHidden(member string) bool { _, is := hidden()[member]; return is }

// hidden are the members of inputs, and of the structures in them, whose values are not recorded, with the reason. A
// test walks every input that is recorded, and fails for a name that looks like a secret's and is neither here nor in
// shownNames.
func hidden() map[string]string {
	const secret, content = "it is a secret", "it is content, not what is done with it"
	return map[string]string{
		"AuthToken":          secret,
		"SecretString":       secret,
		"SecretBinary":       secret,
		"Outputs":            "a deployment's outputs hold secrets",
		"Token":              "who has a subscription's token can confirm it",
		"RotationToken":      "who has it can put a secret's value",
		"Endpoint":           "a subscriber's address may have a password in it; CloudTrail hides it, too",
		"Message":            content,
		"MessageAttributes":  content,
		"Subject":            content,
		"BinaryValue":        content,
		"ClientRequestToken": "it is the id of a secret's version, and no part of the change",
	}
}

// shownNames are the members whose names look like a secret's, and whose values are recorded all the same.
func shownNames() map[string]string {
	const (
		id      = "it is an id"
		address = "it is an address, or says how addresses are given"
		retry   = "it tells repeated requests from new ones"
		option  = "it is an option"
	)
	return map[string]string{
		"AuthTokenUpdateStrategy":        option,
		"AuthenticateOnUnsubscribe":      option,
		"ClientToken":                    retry,
		"DashboardBody":                  "it says what a dashboard shows",
		"ForceOverwriteReplicaSecret":    option,
		"MessageDeduplicationId":         retry,
		"MessageGroupId":                 id,
		"MessageStructure":               option,
		"PrivateDnsHostnameTypeOnLaunch": address,
		"PrivateIpAddress":               address,
		"RemoveUserGroups":               option,
		"ReturnData":                     option,
		"SecondaryPrivateIpAddressCount": address,
		"SecondaryPrivateIpAddresses":    address,
		"SecretId":                       id,
		"StateReasonData":                "it says why an alarm is in a state",
		"TreatMissingData":               option,
		"UserGroupIds":                   id,
		"UserGroupIdsToAdd":              id,
		"UserGroupIdsToRemove":           id,
		"UserId":                         id,
		"UserIdGroupPairs":               id,
		"Value":                          "it is a tag's, a dimension's or an option's",
		"VirtualPrivateGatewayExclusion": option,
		"VpcEndpointId":                  id,
	}
}

// dataEvents are the actions that CloudTrail calls data events: what goes through a resource, and how often it does.
func dataEvents() map[string]string {
	return map[string]string{"sns:Publish": "messages", "sns:PublishBatch": "messages"}
}

// Unrecorded says why an action that IAM calls a write leaves no row; it is empty for every other one. The action is
// named by the service that its requests are signed for.
func Unrecorded(service, action string) string { return unrecorded()[service+":"+action] }

func unrecorded() map[string]string {
	const (
		outside   = "what it changes is outside of the store, and written far more often: CloudTrail calls it a data event"
		unchanged = "it computes, and changes nothing"
		stop      = "it has to work where nothing can be written: engine.log names who asked"
	)
	return map[string]string{
		"monitoring:PutMetricData":            outside,
		"logs:PutLogEvents":                   outside,
		"kms:Encrypt":                         unchanged,
		"kms:Decrypt":                         unchanged,
		"kms:ReEncrypt":                       unchanged,
		"kms:GenerateDataKey":                 unchanged,
		"kms:GenerateDataKeyWithoutPlaintext": unchanged,
		"kms:GenerateRandom":                  unchanged,
		"larder:StopEngine":                   stop,
	}
}
