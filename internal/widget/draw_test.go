package widget

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// drawn draws a widget of three hours, and reads the image.
func drawn(t *testing.T, text string, series ...Series) image.Image {
	t.Helper()
	w, err := Parse(text, now)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Draw(&out, w, series); err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// flat is a value from one minute after the widget's start to another, every minute.
func flat(value float64, from, to int, color string) Series {
	s := Series{Label: "flat", Color: color, Period: time.Minute}
	for i := from; i <= to; i++ {
		s.Points = append(s.Points, Point{now.Add(-3*time.Hour + time.Duration(i)*time.Minute).Unix(), value})
	}
	return s
}

// extent is the box around all points of a color in an image.
func extent(picture image.Image, hex string) (box image.Rectangle) {
	want := colorOf(hex)
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			got := color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA)
			if got == (color.NRGBA{want.R, want.G, want.B, want.A}) {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

const red, green, blue, violet = "#ff0000", "#00ff00", "#0000ff", "#ee00ee"

// hundred is a widget with an axis of 0 to 100, and lines at both ends of it.
const hundred = `{"metrics":[["A","B"]],"width":800,"height":500,"legend":{"position":"hidden"},"yAxis":{"left":{"min":0,"max":100}},
	"annotations":{"horizontal":[{"value":0,"color":"` + green + `"},{"value":100,"color":"` + blue + `"}]}}`

// TestLinesAreWhereTheirDataAre holds lines against the annotations, which span the whole graph.
func TestLinesAreWhereTheirDataAre(t *testing.T) {
	for _, value := range []float64{10, 25, 50, 75, 90} {
		picture := drawn(t, hundred, flat(value, 60, 120, red))
		bottom, top, line := extent(picture, green), extent(picture, blue), extent(picture, red)
		if line.Empty() || bottom.Empty() || top.Empty() {
			t.Fatalf("%v: the lines are at %v, %v and %v", value, line, bottom, top)
		}
		height := float64(bottom.Min.Y - top.Min.Y)
		if at := float64(bottom.Min.Y-line.Min.Y) / height * 100; at < value-1 || at > value+1 ||
			line.Dy() > lineWidth+1 {
			t.Errorf("the line of %v is at %v, and %d pixels high", value, at, line.Dy())
		}
		// The second of three hours.
		third := float64(bottom.Dx()) / 3
		if from, to := float64(line.Min.X-bottom.Min.X), float64(line.Max.X-bottom.Min.X); from < third-3 ||
			from > third+3 || to < 2*third-3 || to > 2*third+3 {
			t.Errorf("the line goes from %v to %v of %d", from, to, bottom.Dx())
		}
	}
}

func TestGapsAreNotDrawnOver(t *testing.T) {
	s := flat(50, 0, 60, red)
	s.Points = append(s.Points, flat(50, 120, 179, red).Points...)
	picture := drawn(t, hundred, s)
	line, whole := extent(picture, red), extent(picture, green)
	middle := image.Rect(whole.Min.X+whole.Dx()*2/5, line.Min.Y, whole.Min.X+whole.Dx()*3/5, line.Max.Y)
	for x := middle.Min.X; x < middle.Max.X; x++ {
		if got := color.NRGBAModel.Convert(picture.At(x, line.Min.Y)).(color.NRGBA); got.G == 0 {
			t.Fatalf("there is a line at %d, where no data are", x)
		}
	}
	if line.Dx() < whole.Dx()*9/10 {
		t.Errorf("the line spans %d of %d pixels", line.Dx(), whole.Dx())
	}
	if dot := extent(drawn(t, hundred, flat(50, 90, 90, red)), red); dot.Empty() {
		t.Error("a point that stands alone is not drawn")
	}
}

func TestAxesHaveTheirOwnRanges(t *testing.T) {
	right := flat(5, 0, 179, violet)
	right.Right = true
	text := `{"metrics":[["A","B"]],"yAxis":{"left":{"min":0,"max":100,"label":"Percent"},"right":{"min":0,"max":10}},"title":"Both","legend":{"position":"hidden"}}`
	picture := drawn(t, text, flat(50, 0, 179, red), right)
	if a, b := extent(picture, red), extent(picture, violet); !a.Empty() ||
		b.Empty() { // the later line is drawn over the former
		t.Errorf("the lines are at %v and %v", a, b)
	}
}

func TestWhatIsDrawnAlways(t *testing.T) {
	for what, text := range map[string]string{
		"no data": `{"metrics":[["A","B"]]}`, "small": `{"metrics":[["A","B"]],"width":1,"height":1}`,
		"numbers":  `{"metrics":[["A","B"]],"view":"singleValue","title":"Now","width":300,"height":200}`,
		"vertical": `{"metrics":[["A","B"]],"start":"-P7D","timezone":"+0530","annotations":{"vertical":[{"value":"2026-03-03T12:00:00Z","label":"then"}]}}`,
		"wide":     `{"metrics":[["A","B"]],"width":2000,"height":100,"end":"2026-03-05T00:00:00Z"}`,
	} {
		for _, series := range [][]Series{nil, {flat(0, 0, 179, "")}, {flat(-1e300, 0, 9, ""), flat(1e300, 20, 30, "")},
			{{Label: "empty"}}} {
			if picture := drawn(t, text, series...); picture.Bounds().Empty() {
				t.Errorf("%s: nothing is drawn", what)
			}
		}
	}
	picture := drawn(t, `{"metrics":[["A","B"]],"view":"singleValue"}`, flat(42, 0, 9, red))
	if extent(picture, red).Empty() {
		t.Error("the number has no mark in its color")
	}
	if extent(drawn(t,
		`{"metrics":[["A","B"]],"start":"-P7D","annotations":{"vertical":[{"value":"2026-03-03T12:00:00Z","color":"`+violet+`"}]}}`), violet).Dy() < 100 {
		t.Error("the vertical annotation is not drawn")
	}
}

func TestShortNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.25: "0.25", 999: "999", 1500: "1.5k", -2e6: "-2M", 5.4e9: "5.4G",
		123456: "123.5k"} {
		if got := short(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

// TestTicksEnd: an axis whose labels are nearer to each other than numbers are has few of them all the same.
func TestTicksEnd(t *testing.T) {
	for _, s := range []scale{{low: 1e17, high: 1.00000000000000016e17}, {low: -1.7e308, high: 1.7e308},
		{low: 0, high: 1}} {
		if got := len(s.ticks(400)); got < 2 || got > 11 {
			t.Errorf("%+v has %d ticks", s, got)
		}
	}
}
