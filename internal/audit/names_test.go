package audit_test

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"larder/internal/audit"
	"larder/internal/gateway"
	"larder/internal/services/cloudwatch"
	"larder/internal/services/ec2"
	"larder/internal/services/elasticache"
	"larder/internal/services/kms"
	"larder/internal/services/larder"
	"larder/internal/services/logs"
	"larder/internal/services/secretsmanager"
	"larder/internal/services/sns"
)

// declared are the services that change something.
func declared() []gateway.Service {
	return []gateway.Service{
		elasticache.New(elasticache.Config{}).Gateway(),
		ec2.New(ec2.Config{}).Gateway(),
		kms.New(kms.Config{}).Gateway(),
		sns.New(sns.Config{}).Gateway(),
		cloudwatch.New(cloudwatch.Config{}).Gateway(),
		logs.New(logs.Config{}).Gateway(),
		secretsmanager.New(secretsmanager.Config{}).Gateway(),
		larder.New(larder.Config{}).Gateway(),
	}
}

// suspicious are the names that what nobody shall read may have.
var suspicious = regexp.MustCompile(`(?i)token|secret|passw|passphrase|credential|private|cipher|plain|blob|binary|` +
	`message|subject|body|content|outputs|endpoint|auth|material|recipient|access|^value|data$|string$|user`)

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

// TestNoSecretIsRecorded walks every structure of every input that is recorded.
func TestNoSecretIsRecorded(t *testing.T) {
	members := map[string]bool{} // of every input
	for _, s := range declared() {
		for _, a := range s.Actions {
			if !a.Access.Changes() || audit.Unrecorded(s.Shapes.SigningName, a.Name) != "" {
				continue
			}
			seen := map[reflect.Type]bool{}
			walk(a.Input(), seen, func(owner reflect.Type, f reflect.StructField) {
				members[f.Name] = true
				_, shown := shownNames()[f.Name]
				if suspicious.MatchString(f.Name) && !audit.IsHidden(f.Name) && !shown {
					t.Errorf("%s's %s.%s looks like a secret: list %s as hidden or as shown", a.Name, owner.Name(), f.Name,
						f.Name)
				}
				if bytes := f.Type == reflect.TypeFor[[]byte](); bytes && !audit.IsHidden(f.Name) && f.Name != "Key" {
					t.Errorf("%s's %s.%s has bytes that are not hidden", a.Name, owner.Name(), f.Name)
				}
			})
		}
	}
	for _, listed := range []map[string]string{audit.Hidden, shownNames()} {
		for name := range listed {
			if !members[name] {
				t.Errorf("%s is listed, and no recorded input has it", name)
			}
		}
	}
	for name := range audit.Hidden {
		if _, both := shownNames()[name]; both {
			t.Errorf("%s is hidden and shown", name)
		}
	}
}

func walk(of reflect.Type, seen map[reflect.Type]bool, visit func(owner reflect.Type, f reflect.StructField)) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		walk(of.Elem(), seen, visit)
	case reflect.Struct:
		if seen[of] || of.PkgPath() == "time" {
			return
		}
		seen[of] = true
		for f := range fields(of) {
			visit(of, f)
			walk(f.Type, seen, visit)
		}
	}
}

func fields(of reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range of.NumField() {
			if f := of.Field(i); f.IsExported() && !yield(f) {
				return
			}
		}
	}
}

// TestTheListsAreOfActions: what is not recorded, and what are data events, are actions that change something.
func TestTheListsAreOfActions(t *testing.T) {
	changing := map[string]bool{}
	for _, s := range declared() {
		for _, a := range s.Actions {
			changing[s.Shapes.SigningName+":"+a.Name] = a.Access.Changes()
		}
	}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(audit.Unkept)),
		slices.Collect(maps.Keys(audit.DataEvents))) {
		service, action, _ := strings.Cut(name, ":")
		if !changing[name] || audit.Unrecorded(service, action) != "" && audit.DataEvents[name] != "" {
			t.Errorf("%s is no action that changes something, or listed twice", name)
		}
	}
}
