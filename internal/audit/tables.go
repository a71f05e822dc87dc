package audit

// isHidden tells whether a member's value is never recorded.
func isHidden(member string) bool { _, is := hidden[member]; return is }

const isSecret, isContent = "it is a secret", "it is content, not what is done with it"

// hidden are the members of inputs, and of the structures in them, whose values are not recorded, with the reason. A
// test walks every input that is recorded, and fails for a name that looks like a secret's and is neither here nor in
// the test's list of names that are shown.
var hidden = map[string]string{
	"AuthToken":          isSecret,
	"SecretString":       isSecret,
	"SecretBinary":       isSecret,
	"Outputs":            "a deployment's outputs hold secrets",
	"Token":              "who has a subscription's token can confirm it",
	"RotationToken":      "who has it can put a secret's value",
	"Endpoint":           "a subscriber's address may have a password in it; CloudTrail hides it, too",
	"Message":            isContent,
	"MessageAttributes":  isContent,
	"Subject":            isContent,
	"BinaryValue":        isContent,
	"ClientRequestToken": "it is the id of a secret's version, and no part of the change",
}

// dataEvents are the actions that CloudTrail calls data events: what goes through a resource, and how often it does.
var dataEvents = map[string]string{"sns:Publish": "messages", "sns:PublishBatch": "messages"}

// Unrecorded says why an action that IAM calls a write leaves no row; it is empty for every other one. The action is
// named by the service that its requests are signed for.
func Unrecorded(service, action string) string { return unrecorded[service+":"+action] }

const (
	isOutside   = "what it changes is outside of the store, and written far more often: CloudTrail calls it a data event"
	isUnchanged = "it computes, and changes nothing"
	mustStop    = "it has to work where nothing can be written: engine.log names who asked"
)

// unrecorded are the actions that leave no row, with the reason.
var unrecorded = map[string]string{
	"monitoring:PutMetricData":            isOutside,
	"logs:PutLogEvents":                   isOutside,
	"kms:Encrypt":                         isUnchanged,
	"kms:Decrypt":                         isUnchanged,
	"kms:ReEncrypt":                       isUnchanged,
	"kms:GenerateDataKey":                 isUnchanged,
	"kms:GenerateDataKeyWithoutPlaintext": isUnchanged,
	"kms:GenerateRandom":                  isUnchanged,
	"larder:StopEngine":                   mustStop,
}
