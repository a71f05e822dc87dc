package widget

import (
	"cmp"
	"io"
	"math"
	"time"

	"github.com/go-analyze/charts/chartdraw"
	"github.com/go-analyze/charts/chartdraw/drawing"
)

// Series is one line of a graph.
type Series struct {
	Label  string
	Color  string // #RRGGBB; empty takes the next of the palette
	Right  bool   // whether its values are those of the right axis
	Period time.Duration
	Points []Point
}

// Point is a value at a time, in seconds since 1970.
type Point struct {
	At    int64
	Value float64
}

// palette is what CloudWatch colours lines with.
var palette = []string{"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f",
	"#bcbd22", "#17becf"}

// markColor is an annotation's, when none is given.
const markColor = "#d62728"

// Lengths in pixels, sizes of letters in points.
const (
	margin     = 12
	titleSpace = 28
	titleSize  = 12
	textSize   = 8
	lineWidth  = 2
	dotWidth   = 2
)

var (
	paper = drawing.ColorFromHex("ffffff")
	ink   = drawing.ColorFromHex("16191f")
	grid  = drawing.ColorFromHex("e9ebed")
)

func colorOf(hex string) drawing.Color { return drawing.ColorFromHex(hex[1:]) }

// Draw draws a widget with its series as a PNG.
func Draw(out io.Writer, w Widget, series []Series) error {
	for i := range series {
		series[i].Color = cmp.Or(series[i].Color, palette[i%len(palette)])
	}
	if w.Single {
		return numbers(out, w, series)
	}
	return w.chart(series).Render(chartdraw.PNG, out)
}

// chart lays a graph out. The library's secondary axis is the left one.
func (w Widget) chart(series []Series) chartdraw.Chart {
	left, right := w.scale(w.Left, series, false), w.scale(w.Right, series, true)
	rows := w.legend(series)
	c := chartdraw.Chart{
		Title: w.Title, TitleStyle: textStyle(titleSize), Width: w.Width, Height: w.Height,
		Background: chartdraw.Style{FillColor: paper,
			Padding: chartdraw.NewBox(margin, margin, margin, margin+rows.height())},
		Canvas: chartdraw.Style{FillColor: paper},
		XAxis: chartdraw.XAxis{Ticks: timeTicks(w.Start, w.End, w.Zone, w.Width), Style: textStyle(textSize),
			GridMajorStyle: gridStyle()},
		YAxisSecondary: chartdraw.YAxis{
			Name: w.Left.Label, Ticks: left.ticks(w.Height), Style: textStyle(textSize), NameStyle: textStyle(textSize),
			GridMajorStyle: gridStyle(),
		},
		YAxis: chartdraw.YAxis{Name: w.Right.Label, Ticks: right.ticks(w.Height), Style: textStyle(textSize),
			NameStyle: textStyle(textSize)},
		Elements: []chartdraw.Renderable{rows.draw},
	}
	if w.Title != "" {
		c.Background.Padding.Top += titleSpace
	}
	if w.Left.Label != "" {
		c.Background.Padding.Left += margin // the library leaves an upright text too little
	}
	c.YAxis.Style.Hidden = !right.used
	// The axes are there without a line, too.
	c.Series = append(c.Series, chartdraw.ContinuousSeries{YAxis: chartdraw.YAxisSecondary})
	c.Series = append(c.Series, w.marks(left, right)...)
	for _, s := range series {
		to, axis := left, chartdraw.YAxisSecondary
		if s.Right {
			to, axis = right, chartdraw.YAxisPrimary
		}
		for _, run := range s.runs(w.Start.Unix(), w.End.Unix()) {
			c.Series = append(c.Series, line(run, to, axis, s.Color))
		}
	}
	return c
}

// runs cuts a series where a point is missing: a gap is not drawn over.
func (s Series) runs(from, to int64) (runs [][]Point) {
	step := int64(s.Period / time.Second)
	for i, p := range s.Points {
		switch {
		case p.At < from || p.At > to:
		case len(runs) == 0 || p.At-s.Points[i-1].At > step:
			runs = append(runs, []Point{p})
		default:
			runs[len(runs)-1] = append(runs[len(runs)-1], p)
		}
	}
	return runs
}

// line draws points; one that stands alone is a dot.
func line(points []Point, to scale, axis chartdraw.YAxisType, color string) chartdraw.ContinuousSeries {
	s := chartdraw.ContinuousSeries{YAxis: axis,
		Style: chartdraw.Style{StrokeColor: colorOf(color), StrokeWidth: lineWidth}}
	if len(points) == 1 {
		s.Style.DotColor, s.Style.DotWidth = colorOf(color), dotWidth
	}
	for _, p := range points {
		s.XValues = append(s.XValues, float64(p.At))
		s.YValues = append(s.YValues, to.within(p.Value))
	}
	return s
}

// marks are the annotations' lines.
func (w Widget) marks(left, right scale) (lines []chartdraw.Series) {
	from, to := w.Start.Unix(), w.End.Unix()
	for _, h := range w.Horizontal {
		side, axis := left, chartdraw.YAxisSecondary
		if h.Axis == "right" {
			side, axis = right, chartdraw.YAxisPrimary
		}
		if !h.hidden() {
			lines = append(lines, line([]Point{{from, *h.Value}, {to, *h.Value}}, side, axis,
				cmp.Or(h.Color, markColor)))
		}
	}
	for _, v := range w.Vertical {
		at := v.Value.Unix()
		if !v.hidden() && at >= from && at <= to {
			lines = append(lines, line([]Point{{at, left.low}, {at, left.high}}, left, chartdraw.YAxisSecondary,
				cmp.Or(v.Color, markColor)))
		}
	}
	return lines
}

func textStyle(size float64) chartdraw.Style {
	return chartdraw.Style{StrokeColor: grid, FontStyle: chartdraw.FontStyle{FontSize: size, FontColor: ink}}
}

func gridStyle() chartdraw.Style { return chartdraw.Style{StrokeColor: grid, StrokeWidth: 1} }

// latest is a series' last value.
func (s Series) latest() float64 {
	if len(s.Points) == 0 {
		return math.NaN()
	}
	return s.Points[len(s.Points)-1].Value
}
