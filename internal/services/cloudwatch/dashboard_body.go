package cloudwatch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// The bounds of a dashboard. Sizes are units of its grid.
const (
	gridWidth  = 24
	gridHeight = 1000
	maxWidgets = 500
	maxGraphed = 500
)

// allowedValues are the lists that words of a body come from. Source: CloudWatch's Dashboard Body Structure and Syntax.
var allowedValues = map[string][]string{
	"type":           {"alarm", "chart", "custom", "explorer", "log", "metric", "text"},
	"view":           {"timeSeries", "singleValue", "gauge", "bar", "pie", "table"},
	"periodOverride": {"auto", "inherit"},
}

// needed are the properties that widgets of a type must have. Those of metrics are another matter.
var needed = map[string][]string{
	"alarm": {"alarms"}, "custom": {"endpoint"}, "explorer": {"metrics"}, "log": {"query", "region"},
	"text": {"markdown"},
}

// graphOptions are what may stand in the object that ends a metric's list.
var graphOptions = []string{"accountId", "color", "expression", "id", "label", "period", "region", "stat", "visible",
	"yAxis"}

// bodyCheck collects the mistakes in a body, in the words of the service, which are those of a JSON schema's validator.
type bodyCheck struct {
	mistakes []types.DashboardValidationMessage
}

// checkBody checks a dashboard's frame, its widgets and their places, and the properties that they cannot be without.
func checkBody(body string) error {
	if body == "" {
		return invalidDashboard("The DashboardBody must not be empty")
	}
	var parsed any
	var syntax *json.SyntaxError
	if err := json.Unmarshal([]byte(body), &parsed); errors.As(err, &syntax) {
		return invalidDashboard("The field DashboardBody must be a valid JSON object: %v at byte %d", syntax,
			syntax.Offset)
	} else if err != nil {
		return invalidDashboard("The field DashboardBody must be a valid JSON object: %v", err)
	}
	c := &bodyCheck{}
	c.frame(parsed)
	return c.err()
}

func invalidDashboard(format string, args ...any) error {
	return &types.DashboardInvalidInputError{Message: new(fmt.Sprintf(format, args...))}
}

// err is all mistakes in one error.
func (c *bodyCheck) err() error {
	if len(c.mistakes) == 0 {
		return nil
	}
	type mistake struct {
		Path    string `json:"dataPath"`
		Message string `json:"message"`
	}
	var list []mistake
	for _, m := range c.mistakes {
		list = append(list, mistake{*m.DataPath, *m.Message})
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(list); err != nil {
		return err
	}
	return &types.DashboardInvalidInputError{
		Message: new(fmt.Sprintf("The dashboard body is invalid, there are %d validation errors:\n%s",
			len(list), bytes.TrimSpace(text.Bytes()))),
		DashboardValidationMessages: c.mistakes,
	}
}

func (c *bodyCheck) add(path, format string, args ...any) {
	c.mistakes = append(c.mistakes,
		types.DashboardValidationMessage{DataPath: &path, Message: new(fmt.Sprintf(format, args...))})
}

// require notes which of the properties an object lacks.
func (c *bodyCheck) require(path string, object map[string]any, names ...string) {
	for _, name := range names {
		if _, ok := object[name]; !ok {
			c.add(path, "Should have required property '%s'", name)
		}
	}
}

// word checks a property that comes from a list, if it is there.
func (c *bodyCheck) word(path, name string, object map[string]any) {
	value, ok := object[name]
	if !ok {
		return
	}
	if text, ok := value.(string); !ok || !slices.Contains(allowedValues[name], text) {
		c.add(path+"/"+name, "Should be equal to one of the allowed values")
	}
}

// whole checks a number, if it is there.
func (c *bodyCheck) whole(path, name string, object map[string]any, least, most float64) {
	value, ok := object[name]
	if !ok {
		return
	}
	n, ok := value.(float64)
	switch {
	case !ok || n != math.Trunc(n):
		c.add(path+"/"+name, "Should be integer")
	case n < least:
		c.add(path+"/"+name, "Should be >= %v", least)
	case n > most:
		c.add(path+"/"+name, "Should be <= %v", most)
	}
}

// list checks how long a list is that there is.
func (c *bodyCheck) list(path string, value any, least, most int) []any {
	items, ok := value.([]any)
	switch {
	case !ok:
		c.add(path, "Should be array")
	case len(items) < least:
		c.add(path, "Should NOT have less than %d items", least)
	case len(items) > most:
		c.add(path, "Should NOT have more than %d items", most)
		return nil
	}
	return items
}

func (c *bodyCheck) frame(parsed any) {
	body, ok := parsed.(map[string]any)
	if !ok {
		c.add("", "Should be object")
		return
	}
	c.word("", "periodOverride", body)
	if c.require("", body, "widgets"); body["widgets"] == nil {
		return
	}
	for i, widget := range c.list("/widgets", body["widgets"], 0, maxWidgets) {
		c.widget("/widgets/"+strconv.Itoa(i), widget)
	}
}

func (c *bodyCheck) widget(path string, parsed any) {
	widget, ok := parsed.(map[string]any)
	if !ok {
		c.add(path, "Should be object")
		return
	}
	c.require(path, widget, "type", "properties")
	c.word(path, "type", widget)
	c.whole(path, "x", widget, 0, gridWidth-1)
	c.whole(path, "y", widget, 0, math.Inf(1))
	c.whole(path, "width", widget, 1, gridWidth)
	c.whole(path, "height", widget, 1, gridHeight)
	if widget["properties"] == nil {
		return
	}
	path += "/properties"
	properties, ok := widget["properties"].(map[string]any)
	if !ok {
		c.add(path, "Should be object")
		return
	}
	kind, _ := widget["type"].(string)
	c.require(path, properties, needed[kind]...)
	switch {
	case kind == "metric":
		c.graph(path, properties)
	case kind == "alarm" && properties["alarms"] != nil:
		c.list(path+"/alarms", properties["alarms"], 1, math.MaxInt)
	}
}

// graph checks the properties of a metric widget, which draws metrics or an alarm.
func (c *bodyCheck) graph(path string, properties map[string]any) {
	_, metrics := properties["metrics"]
	annotations, _ := properties["annotations"].(map[string]any)
	_, alarm := annotations["alarms"]
	const noSource = "The metric widget should have specified a region and a data source or an alarm annotation"
	switch {
	case !metrics && properties["annotations"] == nil:
		c.require(path, properties, "metrics")
		c.add(path, noSource)
		c.require(path, properties, "annotations")
	case !metrics && !alarm, metrics && properties["region"] == nil:
		c.add(path, noSource)
	}
	c.word(path, "view", properties)
	c.whole(path, "period", properties, 1, math.Inf(1))
	if !metrics {
		return
	}
	for i, metric := range c.list(path+"/metrics", properties["metrics"], 0, maxGraphed) {
		c.metric(path+"/metrics/"+strconv.Itoa(i), metric)
	}
}

// metric checks a metric's list: a namespace, a name, dimensions with their values, and at the end what it is drawn
// like; or that last alone, with an expression.
func (c *bodyCheck) metric(path string, parsed any) {
	fields := c.list(path, parsed, 1, math.MaxInt)
	if len(fields) == 0 {
		return
	}
	options, hasOptions := fields[len(fields)-1].(map[string]any)
	if hasOptions {
		fields = fields[:len(fields)-1]
	}
	for i, field := range fields {
		if _, ok := field.(string); !ok {
			c.add(path+"/"+strconv.Itoa(i), `Invalid metric field type, only "String" type is allowed`)
			return
		}
	}
	for name := range maps.Keys(options) {
		if !slices.Contains(graphOptions, name) {
			// The service takes the object for a dimension then.
			c.add(path, "Should NOT have more than 2 items")
			return
		}
	}
	_, expression := options["expression"]
	switch short := slices.Contains(fields, any("...")); {
	case len(fields) < 2 && !expression && !short:
		c.add(path, "Should NOT have less than 2 items")
	case len(fields)%2 != 0 && !short:
		c.add(path, "Should NOT have more than %d items", len(fields)-1)
	}
}
