package widget

import (
	"cmp"
	"io"
	"math"

	"github.com/go-analyze/charts/chartdraw"
	"github.com/go-analyze/charts/chartdraw/drawing"
)

// Lengths in pixels.
const (
	rowHeight   = 16
	columnWidth = 180
	swatch      = 8
)

// entry is a coloured mark with what it stands for.
type entry struct{ label, color string }

// rows are a legend's entries under a graph.
type rows struct {
	entries []entry
	columns int
	bottom  int // the image's
}

// legend names the series and the annotations that have names, as many as a third of the image has room for.
func (w Widget) legend(series []Series) rows {
	l := rows{columns: max(1, (w.Width-2*margin)/columnWidth), bottom: w.Height - margin}
	if !w.Legend {
		return l
	}
	for _, s := range series {
		l.entries = append(l.entries, entry{s.Label, s.Color})
	}
	for _, h := range w.Horizontal {
		if h.Label != "" && !h.hidden() {
			l.entries = append(l.entries, entry{h.Label, cmp.Or(h.Color, markColor)})
		}
	}
	for _, v := range w.Vertical {
		if v.Label != "" && !v.hidden() {
			l.entries = append(l.entries, entry{v.Label, cmp.Or(v.Color, markColor)})
		}
	}
	room := max(1, w.Height/3/rowHeight) * l.columns
	l.entries = l.entries[:min(len(l.entries), room)]
	return l
}

func (l rows) height() int { return (len(l.entries) + l.columns - 1) / l.columns * rowHeight }

// draw implements chartdraw.Renderable.
func (l rows) draw(r chartdraw.Renderer, _ chartdraw.Box, _ chartdraw.Style) {
	for i, e := range l.entries {
		x := margin + i%l.columns*columnWidth
		y := l.bottom - l.height() + (i/l.columns+1)*rowHeight
		box(r, chartdraw.NewBox(y-swatch, x, x+swatch, y), e.color)
		write(r, e.label, textSize, x+2*swatch, y, columnWidth-3*swatch)
	}
}

func box(r chartdraw.Renderer, b chartdraw.Box, color string) {
	chartdraw.Draw.Box(r, b, chartdraw.Style{FillColor: colorOf(color), StrokeColor: colorOf(color), StrokeWidth: 1})
}

// write writes as much of a text as a width has room for.
func write(r chartdraw.Renderer, text string, size float64, x, y, width int) {
	r.ResetStyle()
	r.SetFont(chartdraw.GetDefaultFont())
	r.SetFontColor(ink)
	r.SetFontSize(size)
	letters := []rune(text)
	if r.MeasureText(text).Width() > width {
		for len(letters) > 0 && r.MeasureText(string(letters)+"...").Width() > width {
			letters = letters[:len(letters)-1]
		}
		text = string(letters) + "..."
	}
	r.Text(text, x, y)
}

// Sizes of letters in points.
const (
	numberSize = 28
	labelSize  = 10
)

// numbers draws the latest value of each series.
func numbers(out io.Writer, w Widget, series []Series) error {
	r := chartdraw.PNG(w.Width, w.Height)
	r.SetDPI(drawing.DefaultDPI)
	box(r, chartdraw.NewBox(0, 0, w.Width, w.Height), "#ffffff")
	if w.Title != "" {
		write(r, w.Title, titleSize, margin, margin+rowHeight, w.Width-2*margin)
	}
	column := w.Width / max(1, len(series))
	for i, s := range series {
		text := "--"
		if v := s.latest(); !math.IsNaN(v) {
			text = short(v)
		}
		x := i*column + margin
		write(r, text, numberSize, x, w.Height/2, column-margin)
		box(r, chartdraw.NewBox(w.Height/2+2*rowHeight-swatch, x, x+swatch, w.Height/2+2*rowHeight), s.Color)
		write(r, s.Label, labelSize, x+2*swatch, w.Height/2+2*rowHeight, column-3*swatch)
	}
	return r.Save(out)
}
