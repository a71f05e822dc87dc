package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"larder/internal/doctor"
)

// frame lays a view out in at most so many lines, of a width where there is one (0 is no limit). What is wrong stands
// before the groups, and what is so on every machine behind them; events take the room that is left, the newest last.
// The last line says what there was no room for.
func frame(v view, lastError error, width, height int) []line {
	var head []line
	if lastError != nil {
		head = append(errorLines(lastError, width), nil)
	}
	if wrong := v.wrongLines(width); len(wrong) > 0 {
		head = append(append(head, wrong...), nil)
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
	all, hidden := layNotes(all, notesOf(v.warnings), width, room, len(missing) > 0)
	if hidden > 0 {
		missing = append(missing, several(hidden, "more warning"))
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

// wrongLines are the damage, a text for each kind, and the warnings that are no notes.
func (v view) wrongLines(width int) (all []line) {
	for _, kind := range doctor.DamageKinds {
		n := 0
		for _, d := range v.damage {
			if d.Check == kind.Check {
				n++
			}
		}
		if n == 0 {
			continue
		}
		for _, text := range wrapped(fmt.Sprintf(kind.Title, n)+" `larder status` lists them.", width) {
			all = append(all, line{{text, red}})
		}
	}
	for _, w := range v.warnings {
		if w.Severity() != doctor.Note {
			all = append(all, warningLines(w, width, yellow)...)
		}
	}
	return all
}

// warningLines are a warning on a screen. What helps is what `larder status` prints.
func warningLines(w doctor.GroupWarning, width int, c colour) (all []line) {
	const label = "warning: "
	head := label
	for _, text := range wrapped(flat(w.Message), max(width-len(label), 0)) {
		all = append(all, line{{head + text, c}})
		head = strings.Repeat(" ", len(label))
	}
	return all
}

func notesOf(all []doctor.GroupWarning) []doctor.GroupWarning {
	return slices.DeleteFunc(slices.Clone(all),
		func(w doctor.GroupWarning) bool { return w.Severity() != doctor.Note })
}

// layNotes puts notes below the groups, as far as there is room, and counts those that there was none for: all of them
// where something before them is hidden already.
func layNotes(all []line, notes []doctor.GroupWarning, width, room int, full bool) (more []line, hidden int) {
	gap := []line{nil}
	for i, w := range notes {
		own := append(gap, warningLines(w, width, dim)...)
		if full || len(all)+len(own) > room {
			return all, len(notes) - i
		}
		all, gap = append(all, own...), nil
	}
	return all, 0
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
func eventRows(events []listedEvent, width, room int) (rows [][]span, shown int) {
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
func (e listedEvent) rows(named bool, width int) (rows [][]span) {
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
