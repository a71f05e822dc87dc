package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// frame lays a view out in at most so many lines, of a width where there is one (0 is no limit). Events take the room
// that groups leave, the newest last. The last line says what there was no room for.
func frame(v view, trouble error, width, height int) []line {
	var head []line
	if trouble != nil {
		head = append(troubleLines(trouble, width), nil)
	}
	if len(v.groups) == 0 {
		head = append(head, line{{noGroups, uncoloured}})
	}
	if all, left := v.lay(head, width, height); left == "" {
		return fit(all, height)
	}
	all, left := v.lay(head, width, height-1)
	return append(fit(all, height-1)[:min(len(all), max(height-1, 0))], line{{left, yellow}})
}

// lay puts groups and events below the head, as far as there is room, and says what there was none for.
func (v view) lay(head []line, width, room int) (all []line, left string) {
	all = slices.Clone(head)
	var missing []string
	for i, g := range v.groups {
		own := g.lines(width)
		if i > 0 {
			own = append([]line{nil}, own...)
		}
		if len(all)+len(own) > room && i > 0 {
			missing = append(missing, several(len(v.groups)-i, "more group"))
			break
		}
		all = append(all, own...)
	}
	if over := len(all) - max(room, 0); over > 0 { // of the first group
		missing = append([]string{several(over, "more line")}, missing...)
	}
	const heading = 2 // a blank line and a title
	shown := 0
	if room := room - len(all) - heading; room > 0 && len(missing) == 0 && len(v.events) > 0 {
		var rows [][]span
		rows, shown = eventRows(v.events, width, room)
		all = append(append(all, nil, line{{"last events", dim}}), columns(rows)...)
	}
	if hidden := len(v.events) - shown; hidden > 0 {
		missing = append(missing, several(hidden, "more event"))
	}
	return all, strings.Join(missing, ", ")
}

// several counts things, as 1 group or 2 groups.
func several(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// leastMessage is the room that a message has at least, in characters, before the name of its source is left out.
const leastMessage = 30

// eventRows are the last events that so many rows hold. A message that is longer than the terminal is wide goes on
// below itself. Shown is how many events they are.
func eventRows(events []event, width, room int) (rows [][]span, shown int) {
	events = events[max(0, len(events)-room):]
	left, sources := 0, 0
	for _, e := range events {
		sources = max(sources, utf8.RuneCountInString(e.Source))
	}
	named := true
	if width > 0 {
		const gap = 2 // before each column
		left = max(width-gap-len(time.TimeOnly)-gap, 1)
		if named = left-gap-sources >= leastMessage; named {
			left -= gap + sources
		}
	}
	for _, e := range slices.Backward(events) {
		own := e.rows(named, left)
		if len(rows) > 0 && len(rows)+len(own) > room {
			break
		}
		rows, shown = append(own, rows...), shown+1
	}
	return rows, shown
}

// rows are an event with its message in lines of that width.
func (e event) rows(named bool, width int) (rows [][]span) {
	when, source := e.Time.Local().Format(time.TimeOnly), e.Source
	for _, text := range wrapped(e.Message, width) {
		row := []span{{when, dim}, {source, uncoloured}, {text, uncoloured}}
		if !named {
			row = slices.Delete(row, 1, 2)
		}
		rows = append(rows, row)
		when, source = "", ""
	}
	return rows
}
