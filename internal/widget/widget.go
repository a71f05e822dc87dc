// Package widget reads the metric widgets that GetMetricWidgetImage is given, and draws them.
package widget

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Widget is what is drawn, and how.
type Widget struct {
	Title         string
	Width, Height int  // pixels
	Single        bool // the latest values as numbers, in place of lines
	Legend        bool
	Start, End    time.Time
	Zone          *time.Location
	Metrics       []Metric
	Left, Right   Axis
	Horizontal    []Horizontal
	Vertical      []Vertical
}

// Metric is one entry of a widget's list: a metric with its statistic, or an expression over others.
type Metric struct {
	Namespace, Name string
	Dimensions      []Dimension
	Options
}

// Dimension is one of a metric's.
type Dimension struct{ Name, Value string }

// Options are what stands in the object that ends a metric's list, with what the widget sets for all of them.
type Options struct {
	ID         string `json:"id"`
	Expression string `json:"expression"`
	Label      string `json:"label"`
	Stat       string `json:"stat"`
	Period     int32  `json:"period"` // seconds
	Color      string `json:"color"`
	Visible    *bool  `json:"visible"`
	Axis       string `json:"yAxis"` // left or right
	Region     string `json:"region"`
	AccountID  string `json:"accountId"`
}

// Hidden tells of a metric that is there for expressions only.
func (o Options) Hidden() bool { return o.Visible != nil && !*o.Visible }

// Axis is one of the two vertical ones. A bound that is nil is found in what is drawn.
type Axis struct {
	Label     string   `json:"label"`
	Min       *float64 `json:"min"`
	Max       *float64 `json:"max"`
	ShowUnits *bool    `json:"showUnits"`
}

// Horizontal is a line at a value.
type Horizontal struct {
	Value *float64 `json:"value"`
	Axis  string   `json:"yAxis"`
	mark
}

// Vertical is a line at a time.
type Vertical struct {
	Value time.Time `json:"value"`
	mark
}

// mark is what annotations of both directions have.
type mark struct {
	Label   string `json:"label"`
	Color   string `json:"color"`
	Visible *bool  `json:"visible"`
	Fill    string `json:"fill"`
}

func (m mark) hidden() bool { return m.Visible != nil && !*m.Visible }

// frame is a widget as it is written. Source of all names, defaults and bounds: Metric Widget Structure and Syntax, in
// CloudWatch's API reference.
type frame struct {
	Metrics     [][]json.RawMessage `json:"metrics"`
	Title       string              `json:"title"`
	View        string              `json:"view"`
	Stacked     bool                `json:"stacked"`
	Start       string              `json:"start"`
	End         string              `json:"end"`
	Timezone    string              `json:"timezone"`
	Theme       string              `json:"theme"`
	LiveData    bool                `json:"liveData"`
	Stat        string              `json:"stat"`
	Period      *int32              `json:"period"`
	Region      string              `json:"region"`
	Width       *int                `json:"width"`
	Height      *int                `json:"height"`
	YAxis       struct{ Left, Right Axis }
	Legend      struct{ Position string }
	Annotations struct {
		Horizontal []json.RawMessage
		Vertical   []json.RawMessage
		Alarms     []json.RawMessage
	}
}

const (
	defaultWidth  = 600
	defaultHeight = 400
	maxSize       = 2000
	maxMetrics    = 100
	defaultStart  = "-PT3H"
	defaultEnd    = "PT0H"
	defaultStat   = "Average"
	defaultPeriod = 300
	views         = "timeSeries or singleValue"
)

// Parse reads a widget. Relative times are from now.
func Parse(text string, now time.Time) (Widget, error) {
	var f frame
	if err := strict([]byte(text), &f); err != nil {
		return Widget{}, err
	}
	if err := f.refuse(); err != nil {
		return Widget{}, err
	}
	w := Widget{
		Title: f.Title, Width: or(f.Width, defaultWidth), Height: or(f.Height, defaultHeight),
		Single: f.View == "singleValue",
		Legend: f.Legend.Position != "hidden", Left: f.YAxis.Left, Right: f.YAxis.Right,
	}
	if min(w.Width, w.Height) < 1 || max(w.Width, w.Height) > maxSize {
		return Widget{}, fmt.Errorf("the width and the height must be between 1 and %d, not %d and %d", maxSize,
			w.Width, w.Height)
	}
	return w, errors.Join(w.times(f, now), w.metrics(f), w.annotations(f))
}

// strict decodes JSON that has nothing which larder does not draw.
func strict(text []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if name, ok := strings.CutPrefix(fmt.Sprint(err), "json: unknown field "); ok {
		return fmt.Errorf("larder does not draw %s", name)
	}
	if err == nil && d.More() {
		err = errors.New("there is more after its end")
	}
	if err != nil {
		return fmt.Errorf("it must be a JSON object in the form of a metric widget: %w", err)
	}
	return nil
}

// refuse names what is not drawn.
func (f frame) refuse() error {
	switch {
	case len(f.Metrics) < 1 || len(f.Metrics) > maxMetrics:
		return fmt.Errorf("it must have 1 to %d metrics, not %d", maxMetrics, len(f.Metrics))
	case f.View != "" && f.View != "timeSeries" && f.View != "singleValue":
		return fmt.Errorf("larder draws no view %q, but %s", f.View, views)
	case f.Stacked:
		return errors.New("larder does not draw stacked lines")
	case f.Theme != "" && f.Theme != "light":
		return fmt.Errorf("larder draws in the theme light only, not in %q", f.Theme)
	case f.LiveData:
		return errors.New("larder does not mark liveData: it draws all data that there are")
	case !slices.Contains([]string{"", "bottom", "hidden"}, f.Legend.Position):
		return fmt.Errorf("larder draws the legend at the bottom or hidden, not at %q", f.Legend.Position)
	case or(f.YAxis.Left.ShowUnits, false), or(f.YAxis.Right.ShowUnits, false):
		return errors.New("larder does not draw the units of an axis; give the axis a label")
	case len(f.Annotations.Alarms) > 0:
		return errors.New("larder does not draw annotations of alarms; draw their threshold as a horizontal one")
	}
	return nil
}

func or[T any](v *T, otherwise T) T {
	if v == nil {
		return otherwise
	}
	return *v
}

// annotations reads the lines that stand for values and times.
func (w *Widget) annotations(f frame) error {
	for _, raw := range f.Annotations.Horizontal {
		var h Horizontal
		if err := annotation(raw, &h, &h.mark); err != nil {
			return err
		}
		if h.Value == nil {
			return errors.New("a horizontal annotation must have a value")
		}
		if err := checkSide(h.Axis); err != nil {
			return err
		}
		w.Horizontal = append(w.Horizontal, h)
	}
	for _, raw := range f.Annotations.Vertical {
		var v Vertical
		if err := annotation(raw, &v, &v.mark); err != nil {
			return err
		}
		if v.Value.IsZero() {
			return errors.New("a vertical annotation must have a time for its value")
		}
		w.Vertical = append(w.Vertical, v)
	}
	return nil
}

func annotation(raw json.RawMessage, into any, m *mark) error {
	if strings.HasPrefix(string(raw), "[") {
		return errors.New("larder does not draw annotations of bands between two values")
	}
	if err := strict(raw, into); err != nil {
		return err
	}
	if m.Fill != "" && m.Fill != "none" {
		return fmt.Errorf("larder does not fill annotations: the fill %q", m.Fill)
	}
	return checkColor(m.Color)
}

var validColor = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

func checkColor(color string) error {
	if color != "" && !validColor.MatchString(color) {
		return fmt.Errorf("the color %q must be six hexadecimal digits after a #", color)
	}
	return nil
}

func checkSide(axis string) error {
	if axis != "" && axis != "left" && axis != "right" {
		return fmt.Errorf("the yAxis %q must be left or right", axis)
	}
	return nil
}
