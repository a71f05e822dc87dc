package cloudwatch_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

const body = `{"widgets":[{"type":"metric","x":0,"y":0,"width":12,"height":6,"properties":{"metrics":[["AWS/ElastiCache","CPUUtilization"]]}},` +
	`{"type":"text","properties":{"markdown":"# mine"}}]}`

func TestDashboardLife(t *testing.T) {
	s := newServer(t)
	put := func(name, body string) {
		t.Helper()
		must(s.PutDashboard(t.Context(), &sdk.PutDashboardInput{DashboardName: &name, DashboardBody: &body}))(t)
	}
	put("mine", `{"widgets":[]}`)
	put("mine", body)
	put("other", body)
	got := must(s.GetDashboard(t.Context(), &sdk.GetDashboardInput{DashboardName: new("mine")}))(t)
	if *got.DashboardBody != body || *got.DashboardName != "mine" || *got.DashboardArn != "arn:aws:cloudwatch::123456789012:dashboard/mine" {
		t.Errorf("got %+v", got)
	}
	_, err := s.DeleteDashboards(t.Context(), &sdk.DeleteDashboardsInput{DashboardNames: []string{"mine", "none"}})
	wantError(t, err, "ResourceNotFound", "Dashboard none does not exist")
	must(s.DeleteDashboards(t.Context(), &sdk.DeleteDashboardsInput{DashboardNames: []string{"mine", "other"}}))(t)
	_, err = s.GetDashboard(t.Context(), &sdk.GetDashboardInput{DashboardName: new("mine")})
	wantError(t, err, "ResourceNotFound", "Dashboard mine does not exist")
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusNotFound {
		t.Errorf("got %v, want the status 404", err)
	}
}

func TestDashboardRefusals(t *testing.T) {
	s := newServer(t)
	put := func(name, body string) error {
		_, err := s.PutDashboard(t.Context(), &sdk.PutDashboardInput{DashboardName: &name, DashboardBody: &body})
		return err
	}
	const wrong = "The dashboard body is invalid, there are 1 validation errors: "
	widget := func(rest string) string {
		return fmt.Sprintf(`{"widgets":[{"type":"text","properties":{}},{%s}]}`, rest)
	}
	for body, message := range map[string]string{
		``:                       "The DashboardBody must not be empty",
		`{`:                      "The field DashboardBody must be a valid JSON object: unexpected end of JSON input at byte 1",
		`[]`:                     "The field DashboardBody must be a valid JSON object with a list of widgets",
		`{}`:                     wrong + ": Should have required property 'widgets'",
		widget(`"width":1.5`):    wrong + "/widgets/1: Should be an object with a text for type, whole numbers for x, y, width and height, and an object for properties",
		widget(``):               wrong + "/widgets/1: Should have required property 'type'",
		widget(`"type":"clock"`): wrong + "/widgets/1: Should have a type of alarm, custom, explorer, log, metric, text",
		widget(`"type":"text"`):  wrong + "/widgets/1: Should have required property 'properties'",
		widget(`"type":"text","properties":{},"width":25`):   wrong + "/widgets/1: Should have a width of 1 to 24, not 25",
		`{"widgets":[` + strings.Repeat(`{},`, 500) + `{}]}`: wrong + "/widgets: Should NOT have more than 500 items",
	} {
		wantError(t, put("mine", body), "InvalidParameterInput", message)
	}
	wantError(t, put("a b", body), "InvalidParameterInput", `The DashboardName "a b" must have 1 to 255 letters, digits, hyphens and underscores`)
	_, err := s.DeleteDashboards(t.Context(), &sdk.DeleteDashboardsInput{DashboardNames: []string{}})
	wantError(t, err, "InvalidParameterValue", "Between 1 and 100 DashboardNames must be given; the request has 0")
	if _, err := s.GetDashboard(t.Context(), &sdk.GetDashboardInput{DashboardName: new("mine")}); err == nil {
		t.Error("a refused dashboard was kept")
	}
}
