package cloudwatch_test

import (
	"bytes"
	"image/color"
	"image/png"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/servicetest"
)

// colored counts an image's points of a color, which tell of a line.
func (s *server) colored(t *testing.T, widget string, want color.NRGBA) (n int) {
	t.Helper()
	out := must(s.GetMetricWidgetImage(t.Context(), &sdk.GetMetricWidgetImageInput{MetricWidget: &widget}))(t)
	picture := must(png.Decode(bytes.NewReader(out.MetricWidgetImage)))(t)
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			if color.NRGBAModel.Convert(picture.At(x, y)) == want {
				n++
			}
		}
	}
	return n
}

// TestWidgetImage: metrics and expressions are drawn in their colors, what is hidden or has no data is not.
func TestWidgetImage(t *testing.T) {
	s := newServer(t)
	for i := range 60 {
		must(s.PutMetricData(t.Context(),
			&sdk.PutMetricDataInput{Namespace: new("Mine"), MetricData: []types.MetricDatum{
				{MetricName: new("Load"), Dimensions: []types.Dimension{{Name: new("Node"), Value: new("a")}},
					Value: new(50.0), Timestamp: new(s.now().Add(time.Duration(-i) * time.Minute))},
			}}))(t)
	}
	red, green := color.NRGBA{R: 255, A: 255}, color.NRGBA{G: 255, A: 255}
	widget := func(metrics string) string {
		return `{"period":60,"start":"-PT2H","legend":{"position":"hidden"},"metrics":[` + metrics + `]}`
	}
	const load = `"Mine","Load","Node","a"`
	// Half of the two hours have data: about 270 of 600 pixels, with a line two pixels high.
	if n := s.colored(t, widget(`[`+load+`,{"color":"#ff0000"}]`), red); n < 250 || n > 900 {
		t.Errorf("the line has %d points", n)
	}
	if n := s.colored(t, widget(`["Nothing","Load",{"color":"#ff0000"}]`), red); n != 0 {
		t.Errorf("a metric without data has %d points", n)
	}
	math := widget(`[` + load +
		`,{"color":"#ff0000","id":"m1","visible":false}],[{"expression":"m1*2","color":"#00ff00"}]`)
	if n := s.colored(t, math, red); n != 0 {
		t.Errorf("a hidden metric has %d points", n)
	}
	if n := s.colored(t, math, green); n < 250 {
		t.Errorf("the expression has %d points", n)
	}
}

func TestWidgetImageRefusals(t *testing.T) {
	s := newServer(t)
	get := func(widget *string, format *string) error {
		_, err := s.GetMetricWidgetImage(t.Context(),
			&sdk.GetMetricWidgetImageInput{MetricWidget: widget, OutputFormat: format}, unchecked)
		return err
	}
	servicetest.WantError(t, get(nil, nil), "MissingParameter", "The parameter MetricWidget is required")
	servicetest.WantError(t, get(new(`{"metrics":[["A","B"]]}`), new("image/png")), "InvalidParameterValue",
		"larder serves GetMetricWidgetImage's OutputFormat only as png: the image comes in the protocol's answer, which is "+
			"what the SDKs and the CLI ask for")
	for widget, message := range map[string]string{
		`{"metrics":[["A","B"]],"view":"pie"}`: `Invalid MetricWidget: larder draws no view ` +
			`"pie", but timeSeries or singleValue`,
		`{"metrics":[["A","B",{"region":"eu-west-1"}]]}`: "Invalid MetricWidget: /metrics/0: larder " +
			"is the region us-east-1; it has nothing of eu-west-1",
		`{"metrics":[["A","B"],[{"expression":"a1+1","id":"a1"}]]}`: "Error in expression 'a1': it refers to " +
			"itself",
		`{"metrics":[[{"expression":"SEARCH('{A,B} x','Sum',60)"}]]}`: "Error in expression 'metric0': larder does " +
			"not serve SEARCH: ",
		`{"metrics":[["A","B",{"id":"metric1"}],["A","C",{"id":"metric1"}]]}`: "The Id metric1 is given to more than one " +
			"metric",
	} {
		if err := get(&widget, nil); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: got %v, want %s", widget, err, message)
		}
	}
}
