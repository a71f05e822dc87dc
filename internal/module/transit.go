package module

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// transitMode is the mode of encryption in transit that the call asks for; "" for none in particular.
func (in *Inputs) transitMode() ectypes.TransitEncryptionMode {
	return ectypes.TransitEncryptionMode(aws.ToString(in.TransitEncryptionMode))
}

// wantedMode is the mode that a group is to have: the one it has where the call asks for none. It goes with TLS.
func wantedMode(want *create, have *ectypes.ReplicationGroup) ectypes.TransitEncryptionMode {
	if want.TransitEncryptionMode == "" || !aws.ToBool(want.TransitEncryptionEnabled) {
		return have.TransitEncryptionMode
	}
	return want.TransitEncryptionMode
}

// refuseTransit refuses the changes of encryption in transit that AWS does not make in one step, or not at all, and
// says which step comes first.
func refuseTransit(changes []Change, desired Resources, have *ectypes.ReplicationGroup) []Change {
	why := transitRefusal(desired, have)
	for i, c := range changes {
		if why != "" && (c.Field == "TransitEncryptionEnabled" || c.Field == "TransitEncryptionMode") {
			changes[i].Refused = fmt.Sprintf("%s: larder cannot change it from %q to %q %s", c.Input, c.Old, c.New, why)
		}
	}
	return changes
}

// transitRefusal says why a group cannot be brought to the encryption in transit that is asked for; "" where it can.
func transitRefusal(desired Resources, have *ectypes.ReplicationGroup) string {
	const preferred = ectypes.TransitEncryptionModePreferred
	on, was := aws.ToBool(desired.ReplicationGroup.TransitEncryptionEnabled), aws.ToBool(have.TransitEncryptionEnabled)
	mode, had := wantedMode(desired.ReplicationGroup, have), have.TransitEncryptionMode
	switch {
	case on == was && mode == had:
		return ""
	case on && !was && mode != preferred:
		return `at once: first set transit_encryption_mode = "preferred" and auth_token_enabled = false, and ` +
			`"required" when every client uses TLS`
	case aws.ToBool(have.AuthTokenEnabled):
		return "while the group has a token, which AWS does not take away: set it back, or delete the group and " +
			"create it again"
	case !on && had != preferred:
		return `at once: first set transit_encryption_enabled = true and transit_encryption_mode = "preferred", ` +
			`and take both back when no client uses TLS`
	case !desired.ApplyImmediately:
		return "in the maintenance window: set apply_immediately = true"
	}
	return ""
}
