package secretsmanager_test

// refusal words one violation of the service's model as AWS does. A value that is not shown is "".
func refusal(value, member, rule string) string {
	if value != "" {
		value += " "
	}
	const failed = "' failed to satisfy constraint: Member must "
	return "1 validation error detected: Value " + value + "at '" + member + failed + rule
}
