package ec2_test

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	sdk "larder/internal/awssdk/ec2"
	"larder/internal/services/ec2"
	"larder/internal/servicetest"
)

var client = reflect.TypeFor[*sdk.Client]()

func TestEveryInputFieldIsServedOrRefused(t *testing.T) {
	servicetest.EveryInputFieldIsServedOrRefused(t, client, ec2.New(ec2.Config{}).Gateway().Actions,
		"DryRun", // read where the actions are declared: TestDryRun
		// These cannot change an answer here; the handlers say why.
		"DescribeAvailabilityZonesInput.AllAvailabilityZones", "DescribeNetworkInterfacesInput.IncludeManagedResources",
		"DescribeRegionsInput.AllRegions")
}

// Every action that has the parameter answers a dry run, and does nothing.
func TestDryRun(t *testing.T) {
	s := newServer(t)
	for _, action := range ec2.New(s.Config).Gateway().Actions {
		input := reflect.New(servicetest.Input(t, client, action))
		dryRun := input.Elem().FieldByName("DryRun")
		if !dryRun.IsValid() {
			continue
		}
		dryRun.Set(reflect.ValueOf(aws.Bool(true)))
		call := reflect.ValueOf(s.Client).MethodByName(action.Name)
		out := call.Call([]reflect.Value{reflect.ValueOf(t.Context()), input})
		err, _ := out[1].Interface().(error)
		t.Run(action.Name, func(t *testing.T) {
			servicetest.WantError(t, err, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
		})
	}
}
