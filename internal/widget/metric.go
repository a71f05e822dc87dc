package widget

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// metrics reads the list of metrics. In one, a dot stands for what the one before has in its place, and three dots for
// all of it up to what follows them.
func (w *Widget) metrics(f frame) error {
	var before []string
	for i, list := range f.Metrics {
		m := Metric{Options: Options{Stat: f.Stat, Period: or(f.Period, defaultPeriod), Region: f.Region}}
		fields, err := split(list, &m.Options)
		if err == nil {
			fields, err = spellOut(fields, before)
		}
		if err == nil {
			err = m.fill(fields)
		}
		if err != nil {
			return fmt.Errorf("/metrics/%d: %w", i, err)
		}
		if m.Expression == "" {
			before = fields
		}
		w.Metrics = append(w.Metrics, m)
	}
	return nil
}

// split reads the words of a list, and the object that may end it.
func split(list []json.RawMessage, options *Options) (fields []string, err error) {
	for i, raw := range list {
		if strings.HasPrefix(string(raw), "{") && i == len(list)-1 {
			return fields, strict(raw, options)
		}
		var field string
		if err := json.Unmarshal(raw, &field); err != nil {
			return nil, fmt.Errorf("%s must be a text", raw)
		}
		fields = append(fields, field)
	}
	return fields, nil
}

func spellOut(fields, before []string) ([]string, error) {
	if at := slices.Index(fields, "..."); at >= 0 {
		n := len(before) - (len(fields) - 1)
		if n < at {
			return nil, errors.New("there is nothing before it that ... could stand for")
		}
		fields = slices.Concat(fields[:at], before[at:n+at], fields[at+1:])
	}
	for i, field := range fields {
		switch {
		case field != ".":
		case i >= len(before):
			return nil, errors.New("there is nothing before it that . could stand for")
		default:
			fields[i] = before[i]
		}
	}
	return fields, nil
}

// fill takes a metric out of its words, and checks what larder would not draw.
func (m *Metric) fill(fields []string) error {
	if m.Stat == "" {
		m.Stat = defaultStat
	}
	switch {
	case m.Expression != "" && len(fields) > 0:
		return errors.New("an expression has no namespace, name or dimensions")
	case m.Expression == "" && (len(fields) < 2 || len(fields)%2 != 0):
		return errors.New("a metric must have a namespace, a name, and a value for each dimension")
	case m.AccountID != "":
		return errors.New("larder is one account: accountId is not served")
	}
	if m.Expression == "" {
		m.Namespace, m.Name = fields[0], fields[1]
	}
	for i := 2; i < len(fields); i += 2 {
		m.Dimensions = append(m.Dimensions, Dimension{fields[i], fields[i+1]})
	}
	return errors.Join(checkColor(m.Color), checkSide(m.Axis))
}
