package exporter

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is what a metric's values are, in the words of Prometheus's text format.
type kind string

const (
	gauge   kind = "gauge"
	counter kind = "counter"
	summary kind = "summary"
)

// metric is a family of samples.
type metric struct {
	name string
	kind kind
	help string
}

// labels are label pairs as the text format spells them.
type labels string

// pairs makes labels of names and values in turn.
func pairs(namesAndValues ...string) labels { return labels("").with(namesAndValues...) }

// with adds labels.
func (l labels) with(namesAndValues ...string) labels {
	var b strings.Builder
	b.WriteString(string(l))
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(namesAndValues[i] + `="` + escaped.Replace(legible(namesAndValues[i+1])) + `"`)
	}
	return labels(b.String())
}

// legible spells the bytes of a text that are not UTF-8 as \xff: the format has no others, and a node's clients choose
// some texts.
func legible(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, text[0])
		} else {
			b.WriteString(text[:n])
		}
		text = text[n:]
	}
	return b.String()
}

var escaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// page is an answer to a scrape, which has all samples of a metric together.
type page struct {
	families map[string]*family
	begin    labels // of every sample that is added
}

type family struct {
	metric
	samples bytes.Buffer
}

func newPage() *page { return &page{families: map[string]*family{}} }

// within is the same page, for samples that have more labels.
func (p *page) within(l labels) *page { return &page{families: p.families, begin: l} }

// take puts the samples of another page on this one.
func (p *page) take(other *page) {
	for name, f := range other.families {
		if own := p.families[name]; own != nil {
			own.samples.Write(f.samples.Bytes())
		} else {
			p.families[name] = f
		}
	}
}

// add puts a sample on the page.
func (p *page) add(m metric, l labels, value float64) { p.addTo(m, "", l, value) }

// addTo adds one of a summary's samples with a suffix, its _sum or its _count.
func (p *page) addTo(m metric, suffix string, l labels, value float64) {
	f := p.families[m.name]
	if f == nil {
		f = &family{metric: m}
		p.families[m.name] = f
	}
	f.samples.WriteString(m.name + suffix)
	if p.begin != "" && l != "" {
		l = p.begin + "," + l
	}
	if l = cmp.Or(l, p.begin); l != "" {
		f.samples.WriteString("{" + string(l) + "}")
	}
	f.samples.WriteByte(' ')
	f.samples.Write(strconv.AppendFloat(f.samples.AvailableBuffer(), value, 'g', -1,
		64)) // spells NaN and +Inf as the format does
	f.samples.WriteByte('\n')
}

// flag adds 1 or 0.
func (p *page) flag(m metric, l labels, on bool) {
	value := 0.0
	if on {
		value = 1
	}
	p.add(m, l, value)
}

// text is the page in the format, in the order of the names.
func (p *page) text() []byte {
	const head = 256 // bytes, about, of a metric's two lines
	size := 0
	for _, f := range p.families {
		size += head + f.samples.Len()
	}
	var b bytes.Buffer
	b.Grow(size)
	for _, name := range slices.Sorted(maps.Keys(p.families)) {
		f := p.families[name]
		b.WriteString("# HELP " + name + " " + helpEscaped.Replace(f.help) + "\n# TYPE " + name + " " + string(f.kind) +
			"\n")
		b.Write(f.samples.Bytes())
	}
	return b.Bytes()
}

var helpEscaped = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
