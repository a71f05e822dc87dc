package cli

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// line is one of the screen, in pieces that may have colours.
type line []span

type span struct {
	text   string
	colour colour
}

// shown is the text as it stands on its one line: as wide as it is, with a dot for each character that a terminal would
// act on.
func (s span) shown() string {
	return strings.Map(func(r rune) rune {
		if active(r) {
			return '·'
		}
		return r
	}, s.text)
}

// colour is the number of an ANSI graphic rendition; uncoloured leaves the text as it is.
type colour int

const (
	uncoloured colour = 0
	bold       colour = 1
	dim        colour = 2
	red        colour = 31
	green      colour = 32
	yellow     colour = 33
)

// draw returns the line as text of at most width characters (0 for no limit).
func (l line) draw(width int, coloured bool) string {
	var b strings.Builder
	room := width
	for _, s := range l {
		text := s.shown()
		if width > 0 {
			text = first(text, room)
			room -= utf8.RuneCountInString(text)
		}
		if coloured && s.colour != uncoloured && text != "" {
			fmt.Fprintf(&b, "\x1b[%dm%s\x1b[0m", s.colour, text)
		} else {
			b.WriteString(text)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// first returns the first n characters.
func first(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// statusNarrow names the columns that a terminal without room for all goes without, the first first.
var statusNarrow = []string{"PID", "ZONE", "ADDRESS", "STATUS"}

// lines are what `status` shows of a group, of a width where there is one (0 is no limit).
func (g groupStatus) lines(width int) []line {
	title := line{{g.ID, bold}, {"  ", uncoloured}, {g.Status, statusColour(g.Status)}, {"  " + g.Region, uncoloured},
		{"  " + g.Engine, uncoloured}, {"  " + g.NodeType, uncoloured}}
	for width > 0 && len(title) > 3 && wide([]line{title}) > width {
		title = title[:len(title)-1]
	}
	all := []line{title}
	if g.Reason != "" {
		for _, l := range wrapped(g.Reason, max(width-2, 0)) {
			all = append(all, line{{"  " + l, red}})
		}
	}
	rows := [][]span{{{"NODE", dim}, {"ZONE", dim}, {"ROLE", dim}, {"STATUS", dim}, {"LAG", dim}, {"ADDRESS", dim},
		{"PID", dim}}}
	for _, n := range g.Nodes {
		rows = append(rows, n.cells())
	}
	all = append(all, columns(fitting(rows, statusNarrow, width))...)
	if g.Primary != "" {
		all = append(all, line{{"  primary endpoint  " + g.Primary, uncoloured}},
			line{{"  reader endpoint   " + g.Reader, uncoloured}})
	}
	return all
}

func (n nodeStatus) cells() []span {
	role := span{n.Role, uncoloured}
	if n.Role == "primary" {
		role.colour = bold
	}
	return []span{{n.ID, uncoloured}, {n.Zone, uncoloured}, role, {n.Status, statusColour(n.Status)}, n.lag(),
		{n.Address, uncoloured}, {pid(n.PID), uncoloured}}
}

// lag is how far a node's data are behind, or why that cannot be told.
func (n nodeStatus) lag() span {
	switch {
	case n.Link == linkGone || n.Link == linkSilent:
		return span{n.Link, red}
	case n.Link == linkSyncing:
		return span{n.Link, yellow}
	case n.Role == "primary" || n.Lag == nil:
		return span{"-", uncoloured}
	}
	return span{size(*n.Lag), uncoloured}
}

func statusColour(status string) colour {
	switch status {
	case "available":
		return green
	case "deleting", "create-failed":
		return red
	}
	return yellow
}

// columns pads cells so that those below each other begin below each other.
func columns(rows [][]span) []line {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell.text))
		}
	}
	var out []line
	for _, row := range rows {
		var l line
		for i, cell := range row {
			padding := widths[i] - utf8.RuneCountInString(cell.text)
			l = append(l, span{"  ", uncoloured}, cell, span{strings.Repeat(" ", padding), uncoloured})
		}
		out = append(out, l)
	}
	return out
}

// size prints a number of bytes in at most six characters or so.
func size(bytes int64) string {
	const units = "KMGTPE"
	value, unit := float64(bytes), ""
	for i := 0; value >= 1024 && i < len(units); i++ {
		value, unit = value/1024, string(units[i])+"i"
	}
	if unit == "" {
		return strconv.FormatInt(bytes, 10) + " B"
	}
	return strconv.FormatFloat(value, 'f', 1, 64) + " " + unit + "B"
}

func pid(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}
