package cli

import (
	"slices"
	"time"
	"unicode/utf8"
)

// frame lays a view out in at most so many lines, of a width where there is one (0 is no limit). Events take the room
// that groups leave, the newest last.
func frame(v view, trouble error, width, height int) []line {
	var all []line
	if trouble != nil {
		all = append(troubleLines(trouble, width), nil)
	}
	if len(v.groups) == 0 {
		all = append(all, line{{noGroups, uncoloured}})
	}
	for i, g := range v.groups {
		if i > 0 {
			all = append(all, nil)
		}
		all = append(all, g.lines(width)...)
	}
	const heading = 2 // a blank line and a title
	if room := height - len(all) - heading; room > 0 && len(v.events) > 0 {
		all = append(all, nil, line{{"last events", dim}})
		all = append(all, columns(eventRows(v.events, width, room))...)
	}
	return fit(all, height)
}

// leastMessage is the room that a message has at least, in characters, before the name of its source is left out.
const leastMessage = 30

// eventRows are the last events that so many rows hold. A message that is longer than the terminal is wide goes on
// below itself.
func eventRows(events []event, width, room int) [][]span {
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
	var rows [][]span
	for _, e := range slices.Backward(events) {
		own := e.rows(named, left)
		if len(rows) > 0 && len(rows)+len(own) > room {
			break
		}
		rows = append(own, rows...)
	}
	return rows
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
