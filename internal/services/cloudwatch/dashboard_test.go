package cloudwatch_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"larder/internal/servicetest"
)

const body = `{"widgets":[{"type":"metric","x":0,"y":0,"width":12,"height":6,"properties":{"region":"us-east-1",` +
	`"metrics":[["AWS/ElastiCache","CPUUtilization"]]}},` +
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
	if *got.DashboardBody != body || *got.DashboardName != "mine" ||
		*got.DashboardArn != "arn:aws:cloudwatch::123456789012:dashboard/mine" {
		t.Errorf("got %+v", got)
	}
	list := func(in *sdk.ListDashboardsInput) (found []string) {
		for _, d := range must(s.ListDashboards(t.Context(), in))(t).DashboardEntries {
			found = append(found, fmt.Sprint(*d.DashboardName, " ", *d.Size, " ", *d.DashboardArn, " ",
				d.LastModified.Equal(s.now())))
		}
		return found
	}
	entry := func(name string) string {
		return fmt.Sprintf("%s %d arn:aws:cloudwatch::123456789012:dashboard/%s true", name, len(body), name)
	}
	if diff := cmp.Diff([]string{entry("mine"), entry("other")}, list(&sdk.ListDashboardsInput{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{entry("other")},
		list(&sdk.ListDashboardsInput{DashboardNamePrefix: new("o")})); diff != "" {
		t.Error(diff)
	}
	_, err := s.DeleteDashboards(t.Context(), &sdk.DeleteDashboardsInput{DashboardNames: []string{"mine", "none"}})
	servicetest.WantError(t, err, "ResourceNotFound", "Dashboard none does not exist")
	must(s.DeleteDashboards(t.Context(), &sdk.DeleteDashboardsInput{DashboardNames: []string{"mine", "other"}}))(t)
	_, err = s.GetDashboard(t.Context(), &sdk.GetDashboardInput{DashboardName: new("mine")})
	servicetest.WantError(t, err, "ResourceNotFound", "Dashboard mine does not exist")
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() != http.StatusNotFound {
		t.Errorf("got %v, want the status 404", err)
	}
}

// wrongBody is what the service says of a body's mistakes: each a path and a message.
func wrongBody(mistakes ...string) string {
	text := fmt.Sprintf("The dashboard body is invalid, there are %d validation errors:\n[\n", len(mistakes)/2)
	for i := 0; i < len(mistakes); i += 2 {
		text += fmt.Sprintf("  {\n    \"dataPath\": %q,\n    \"message\": %s\n  }", mistakes[i],
			strconv.Quote(mistakes[i+1]))
		if i+2 < len(mistakes) {
			text += ","
		}
		text += "\n"
	}
	return text + "]"
}

// TestDashboardRefusals: the texts about metrics and alarms are captured ones.
func TestDashboardRefusals(t *testing.T) {
	s := newServer(t)
	put := func(name, body string) error {
		_, err := s.PutDashboard(t.Context(), &sdk.PutDashboardInput{DashboardName: &name, DashboardBody: &body})
		return err
	}
	widget := func(rest string) string {
		return fmt.Sprintf(`{"widgets":[{"type":"text","properties":{"markdown":""}},{%s}]}`, rest)
	}
	metrics := func(list string) string {
		return widget(`"type":"metric","properties":{"region":"us-east-1","metrics":` + list + `}`)
	}
	const noSource = "The metric widget should have specified a region and a data source or an alarm annotation"
	const first = "/widgets/1/properties/metrics/0"
	for body, message := range map[string]string{
		``: "The DashboardBody must not be empty",
		`{`: "The field DashboardBody must be a valid JSON object: unexpected end of JSON " +
			"input at byte 1",
		`[]`:              wrongBody("", "Should be object"),
		`{}`:              wrongBody("", "Should have required property 'widgets'"),
		`{"widgets":{}}`:  wrongBody("/widgets", "Should be array"),
		`{"widgets":[7]}`: wrongBody("/widgets/0", "Should be object"),
		widget(``): wrongBody("/widgets/1", "Should have required property 'type'", "/widgets/1",
			"Should have required property 'properties'"),
		widget(`"type":"clock"`): wrongBody("/widgets/1", "Should have required property 'properties'",
			"/widgets/1/type", "Should be equal to one of the allowed values"),
		widget(`"type":"text","properties":{},"width":25,"height":0,"x":1.5`): wrongBody("/widgets/1/x",
			"Should be integer", "/widgets/1/width", "Should be <= 24",
			"/widgets/1/height", "Should be >= 1", "/widgets/1/properties", "Should have required property 'markdown'"),
		`{"widgets":[` + strings.Repeat(`{},`, 500) +
			`{}]}`: wrongBody("/widgets", "Should NOT have more than 500 items"),
		widget(`"type":"metric","properties":{}`): wrongBody("/widgets/1/properties",
			"Should have required property 'metrics'",
			"/widgets/1/properties", noSource, "/widgets/1/properties", "Should have required property 'annotations'"),
		widget(`"type":"metric","properties":{"metrics":[["A","B"]]}`): wrongBody("/widgets/1/properties", noSource),
		widget(`"type":"metric","properties":{"annotations":{}}`):      wrongBody("/widgets/1/properties", noSource),
		widget(`"type":"alarm","properties":{"alarms":[]}`): wrongBody("/widgets/1/properties/alarms",
			"Should NOT have less than 1 items"),
		metrics(`[["A","B",{"dimensions":{"C":"D"}}]]`): wrongBody(first,
			"Should NOT have more than 2 items"),
		metrics(`[["A","B",{"stat":"Sum"},{"C":"D"}]]`): wrongBody(first+"/2",
			`Invalid metric field type, only "String" type is allowed`),
		metrics(`[["A","B","C",7]]`): wrongBody(first+"/3",
			`Invalid metric field type, only "String" type is allowed`),
		metrics(`[["A"]]`): wrongBody(first,
			"Should NOT have less than 2 items"),
		metrics(`["A"]`): wrongBody(first, "Should be array"),
		widget(`"type":"metric","properties":{"region":"us-east-1","metrics":[],"view":"cake","period":"x"}`): wrongBody(
			"/widgets/1/properties/view", "Should be equal to one of the allowed values",
			"/widgets/1/properties/period", "Should be integer"),
	} {
		servicetest.WantError(t, put("mine", body), "InvalidParameterInput", message)
	}
	var invalid *types.DashboardInvalidInputError
	if err := put("mine", `{}`); !errors.As(err, &invalid) {
		t.Errorf("got %v", err)
	}
	for _, body := range []string{
		metrics(`[]`), metrics(`[["A","B","C","D",{"stat":"p99","yAxis":"right"}],["...","E"],[".",".",".","F"],` +
			`[{"expression":"m1*2","id":"e1"}]]`),
		widget(`"type":"metric","properties":{"annotations":{"alarms":["arn:aws:cloudwatch:us-east-1:123456789012:alarm:` +
			`a"]}}`),
	} {
		if err := put("good", body); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	servicetest.WantError(t, put("a b", body), "InvalidParameterValue",
		"The value a b for field DashboardName contains invalid characters. It can only contain alphanumerics, dash "+
			"(-) and underscore (_).\n")
	_, err := s.DeleteDashboards(t.Context(), &sdk.DeleteDashboardsInput{DashboardNames: []string{}})
	servicetest.WantError(t, err, "InvalidParameterValue",
		"Between 1 and 100 DashboardNames must be given; the request has 0")
	_, err = s.ListDashboards(t.Context(), &sdk.ListDashboardsInput{NextToken: new("%")})
	servicetest.WantError(t, err, "InvalidParameterValue", "The NextToken is not one of an earlier answer.")
	if _, err := s.GetDashboard(t.Context(), &sdk.GetDashboardInput{DashboardName: new("mine")}); err == nil {
		t.Error("a refused dashboard was kept")
	}
}

// TestManyDashboards: a page has a thousand.
func TestManyDashboards(t *testing.T) {
	s := newServer(t)
	for i := range 1001 {
		must(s.PutDashboard(t.Context(),
			&sdk.PutDashboardInput{DashboardName: new(fmt.Sprintf("d-%04d", i)), DashboardBody: new(body)}))(t)
	}
	var sizes []int
	var last string
	pages := sdk.NewListDashboardsPaginator(s, &sdk.ListDashboardsInput{DashboardNamePrefix: new("d-")})
	for pages.HasMorePages() {
		page := must(pages.NextPage(t.Context()))(t)
		sizes = append(sizes, len(page.DashboardEntries))
		last = *page.DashboardEntries[len(page.DashboardEntries)-1].DashboardName
	}
	if diff := cmp.Diff([]int{1000, 1}, sizes); diff != "" || last != "d-1000" {
		t.Error(diff, last)
	}
}
