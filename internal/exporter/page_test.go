package exporter

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// unescape reads a label's value back.
func unescape(t *rapid.T, quoted string) string {
	var b strings.Builder
	for i := 0; i < len(quoted); i++ {
		if quoted[i] != '\\' {
			b.WriteByte(quoted[i])
			continue
		}
		i++
		switch quoted[i] {
		case 'n':
			b.WriteByte('\n')
		case '\\', '"':
			b.WriteByte(quoted[i])
		default:
			t.Fatalf("the format knows no \\%c", quoted[i])
		}
	}
	return b.String()
}

func TestSamplesReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, value := rapid.String().Draw(t, "label"), rapid.Float64().Draw(t, "value")
		p := newPage()
		p.add(metric{"m", gauge, "Help\nin \\ two lines."}, pairs("l", text), value)
		lines := strings.Split(string(p.text()), "\n")
		if len(lines) != 4 || lines[0] != `# HELP m Help\nin \\ two lines.` || lines[1] != "# TYPE m gauge" ||
			lines[3] != "" {
			t.Fatalf("got %q", lines)
		}
		sample := lines[2]
		end := strings.LastIndex(sample, `"} `)
		if got := unescape(t, strings.TrimPrefix(sample[:end], `m{l="`)); got != text {
			t.Fatalf("%q reads back as %q", text, got)
		}
		got, err := strconv.ParseFloat(sample[end+3:], 64)
		if err != nil || got != value && !(math.IsNaN(got) && math.IsNaN(value)) {
			t.Fatalf("%g reads back as %g, %v", value, got, err)
		}
	})
}

// A program may answer with any bytes as an error's first word, which INFO then has. One label that is not UTF-8 has
// Prometheus refuse the whole answer, with all groups' metrics.
func TestLabelsAreUTF8(t *testing.T) {
	p := newPage()
	command(p, pairs("namespace", "g"), "errorstat_\xffBAD", "count=1")
	command(p, pairs("namespace", "g"), "errorstat_\xfeBAD", "count=2")
	command(p, pairs("namespace", "g"), "errorstat_Größe", "count=3")
	text := string(p.text())
	if !utf8.ValidString(text) {
		t.Errorf("the page is not UTF-8: %q", text)
	}
	for _, want := range []string{`err="\\xffBAD"} 1`, `err="\\xfeBAD"} 2`, `err="Größe"} 3`} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in %q", want, text)
		}
	}
}

// A field that no node has is a metric that is never there.
func TestInfoTable(t *testing.T) {
	table, err := loadInfo()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range table {
		if names[f.name] {
			t.Errorf("%s comes twice", f.name)
		}
		names[f.name] = true
		if f.kind != gauge && f.kind != counter || f.field == "" || len(f.help) < len("Keys.") {
			t.Errorf("the row is %+v", f)
		}
		if suffixed := strings.HasSuffix(f.name, "_total"); suffixed != (f.kind == counter) {
			t.Errorf("%s is a %s", f.name, f.kind)
		}
	}
}
