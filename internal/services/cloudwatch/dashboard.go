package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/store"
)

// dashboards holds every dashboard, by name.
const dashboards = store.Table[dashboard]("dashboards")

// dashboard is what a page shows. Its body is kept as it was given.
type dashboard struct{ Name, Body string }

// The sizes of a widget, in units of the grid.
const (
	gridWidth  = 24
	gridHeight = 1000
	maxWidgets = 500
)

var validDashboard = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

func (s *Service) putDashboard(_ context.Context, in *sdk.PutDashboardInput) (*sdk.PutDashboardOutput, error) {
	name, body := aws.ToString(in.DashboardName), aws.ToString(in.DashboardBody)
	if !validDashboard.MatchString(name) {
		return nil, invalidDashboard("The DashboardName %q must have 1 to 255 letters, digits, hyphens and underscores", name)
	}
	if err := checkBody(body); err != nil {
		return nil, err
	}
	err := s.Store.Update(func(tx *store.Tx) error { return dashboards.Put(tx, name, dashboard{name, body}) })
	return &sdk.PutDashboardOutput{DashboardValidationMessages: []types.DashboardValidationMessage{}}, err
}

func invalidDashboard(format string, args ...any) error {
	return &types.DashboardInvalidInputError{Message: new(fmt.Sprintf(format, args...))}
}

// checkBody checks a dashboard's frame: its widgets, their kinds and places.
func checkBody(body string) error {
	var frame struct{ Widgets *[]json.RawMessage }
	if body == "" {
		return invalidDashboard("The DashboardBody must not be empty")
	}
	var syntax *json.SyntaxError
	switch err := json.Unmarshal([]byte(body), &frame); {
	case errors.As(err, &syntax):
		return invalidDashboard("The field DashboardBody must be a valid JSON object: %v at byte %d", syntax, syntax.Offset)
	case err != nil:
		return invalidDashboard("The field DashboardBody must be a valid JSON object with a list of widgets")
	}
	if frame.Widgets == nil {
		return wrongBody("", "Should have required property 'widgets'")
	}
	if len(*frame.Widgets) > maxWidgets {
		return wrongBody("/widgets", fmt.Sprintf("Should NOT have more than %d items", maxWidgets))
	}
	for i, raw := range *frame.Widgets {
		if what := checkWidget(raw); what != "" {
			return wrongBody(fmt.Sprintf("/widgets/%d", i), what)
		}
	}
	return nil
}

// wrongBody is the service's form of one mistake in a body.
func wrongBody(path, what string) error {
	return &types.DashboardInvalidInputError{
		Message: new(fmt.Sprintf("The dashboard body is invalid, there are 1 validation errors: %s: %s", path, what)),
		DashboardValidationMessages: []types.DashboardValidationMessage{
			{DataPath: &path, Message: &what},
		},
	}
}

// checkWidget says what is wrong with a widget.
func checkWidget(raw json.RawMessage) string {
	var widget struct {
		Type                string
		X, Y, Width, Height *int
		Properties          map[string]any
	}
	kinds := []string{"alarm", "custom", "explorer", "log", "metric", "text"}
	if err := json.Unmarshal(raw, &widget); err != nil {
		return "Should be an object with a text for type, whole numbers for x, y, width and height, and an object for properties"
	}
	switch {
	case widget.Type == "":
		return "Should have required property 'type'"
	case !slices.Contains(kinds, widget.Type):
		return "Should have a type of " + strings.Join(kinds, ", ")
	case widget.Properties == nil:
		return "Should have required property 'properties'"
	}
	for _, size := range []struct {
		name        string
		value       *int
		least, most int
	}{{"x", widget.X, 0, gridWidth - 1}, {"y", widget.Y, 0, gridHeight * maxWidgets}, {"width", widget.Width, 1, gridWidth}, {"height", widget.Height, 1, gridHeight}} {
		if size.value != nil && (*size.value < size.least || *size.value > size.most) {
			return fmt.Sprintf("Should have a %s of %d to %d, not %d", size.name, size.least, size.most, *size.value)
		}
	}
	return ""
}

func noDashboard(name string) error {
	return absent{&types.DashboardNotFoundError{Message: new("Dashboard " + name + " does not exist")}}
}

func (s *Service) getDashboard(_ context.Context, in *sdk.GetDashboardInput) (*sdk.GetDashboardOutput, error) {
	name := aws.ToString(in.DashboardName)
	var found dashboard
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = dashboards.Get(tx, name)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, noDashboard(name)
	}
	if err != nil {
		return nil, err
	}
	return &sdk.GetDashboardOutput{DashboardName: &found.Name, DashboardBody: &found.Body, DashboardArn: new(s.dashboardARN(found.Name))}, nil
}

// deleteDashboards deletes all of the dashboards that are named, or none.
func (s *Service) deleteDashboards(_ context.Context, in *sdk.DeleteDashboardsInput) (*sdk.DeleteDashboardsOutput, error) {
	if len(in.DashboardNames) < 1 || len(in.DashboardNames) > maxNames {
		return nil, invalidValue("Between 1 and %d DashboardNames must be given; the request has %d", maxNames, len(in.DashboardNames))
	}
	err := s.Store.Update(func(tx *store.Tx) error {
		for _, name := range in.DashboardNames {
			if _, err := dashboards.Get(tx, name); errors.Is(err, store.ErrNotFound) {
				return noDashboard(name)
			} else if err != nil {
				return err
			}
		}
		for _, name := range in.DashboardNames {
			if err := dashboards.Delete(tx, name); err != nil {
				return err
			}
		}
		return nil
	})
	return &sdk.DeleteDashboardsOutput{}, err
}
