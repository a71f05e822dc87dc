package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"golang.org/x/term"

	"larder/internal/doctor"
)

// How long a watch rests between two looks. A person cannot read more than five screens a second; a failover that is
// over in less leaves its events there, and most of its steps in a journal.
const (
	screenPause  = 200 * time.Millisecond
	journalPause = 50 * time.Millisecond
)

// watch shows groups until ctx ends, which is success, or until the named one is deleted.
func (t *tool) watch(ctx context.Context, ids []string) error {
	e := &eye{connect: t.connect, ids: ids}
	var show scene[view]
	pause := journalPause
	switch f, isTerminal := t.Stdout.terminal(); {
	case t.json:
		show = &journal{write: jsonLines(t.Stdout), now: time.Now}
	case isTerminal && t.Getenv("TERM") != "dumb":
		pause = screenPause
		show = &screen{w: f, size: func() (int, int) { return terminalSize(f) }, coloured: t.Getenv("NO_COLOR") == ""}
	default:
		show = &journal{write: textLines(t.Stdout), now: time.Now}
	}
	return t.deleted(strings.Join(ids, ""), watch(ctx, e.look, show, pause))
}

// deleted says so when a watch ended because its group is gone.
func (t *tool) deleted(id string, err error) error {
	if err == errDeleted {
		_, err = fmt.Fprintf(t.Stderr, "%s is deleted.\n", id)
	}
	return err
}

// errDeleted ends the watch of a group that is gone.
var errDeleted = errors.New("the replication group is deleted")

// scene is where a watch shows what it sees.
type scene[V any] interface {
	show(V) error
	showError(error) error // after a failed look; what was shown before stays on the screen
	close() error
}

// watch looks, shows, rests, and begins again. What fails at the first look, such as the name of a group, is the
// command's error; later the engine may be away for a while, and its nodes go on.
func watch[V any](ctx context.Context, look func(context.Context) (V, error), d scene[V],
	pause time.Duration) (err error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	defer func() {
		if errClose := d.close(); errClose != nil {
			err = errors.Join(err, errClose)
		}
	}()
	for seen := false; ; {
		v, err := look(ctx)
		var deleted *ectypes.ReplicationGroupNotFoundFault
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			seen = true
			err = d.show(v)
		case !seen:
			return err
		case errors.As(err, &deleted):
			var nothing V
			if err := d.show(nothing); err != nil {
				return err
			}
			return errDeleted
		default:
			err = d.showError(err)
		}
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// screen draws on a terminal's alternate screen, and leaves the terminal as it was.
type screen struct {
	w        io.Writer
	size     func() (width, height int)
	coloured bool

	open  bool
	view  view
	drawn string                      // the last time
	at    struct{ width, height int } // that it was drawn for
}

func (s *screen) show(v view) error {
	s.view = v
	return s.draw(nil)
}

func (s *screen) showError(err error) error { return s.draw(err) }

func (s *screen) draw(lastError error) error {
	width, _ := s.size()
	return s.paint(func(height int) []line { return frame(s.view, lastError, width-1, height) })
}

// paint draws the lines that are laid out for the terminal's height, unless they stand there already.
func (s *screen) paint(lay func(height int) []line) error {
	at := s.at
	at.width, at.height = s.size()
	var text strings.Builder
	for i, l := range lay(at.height) {
		if i > 0 {
			text.WriteString("\r\n")
		}
		text.WriteString(l.draw(at.width-1, s.coloured) + "\x1b[K") // a full line would lose its last character
	}
	if s.open && at == s.at && text.String() == s.drawn {
		return nil
	}
	begin := "\x1b[H"
	if !s.open {
		begin = "\x1b[?1049h\x1b[?25l\x1b[H" // the alternate screen, no cursor
	}
	s.open, s.at, s.drawn = true, at, text.String()
	_, err := io.WriteString(s.w, begin+s.drawn+"\x1b[J")
	return err
}

func (s *screen) close() error {
	if !s.open {
		return nil
	}
	_, err := io.WriteString(s.w, "\x1b[?25h\x1b[?1049l")
	return err
}

func terminalSize(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 { // a terminal that doesn't know
		return 80, 24
	}
	return width, height
}

// journal writes an entry for each change, for pipes and files.
type journal struct {
	write func(entry) error
	now   func() time.Time

	view view
	away bool
}

// entry is one of a journal's: a change, an event, a warning, damage, or an error.
type entry struct {
	Time    time.Time            `json:"time"`
	Source  string               `json:"source,omitempty"`
	Field   string               `json:"field,omitempty"`
	From    string               `json:"from,omitempty"`
	To      string               `json:"to,omitempty"`
	Event   string               `json:"event,omitempty"`
	Damage  *damageReport        `json:"damage,omitempty"`
	Warning *doctor.GroupWarning `json:"warning,omitempty"`
	Gone    bool                 `json:"gone,omitempty"` // the damage or the warning is no more
	Error   string               `json:"error,omitempty"`
}

func (j *journal) show(v view) error {
	for _, e := range concerns(j.view, v) {
		e.Time = j.now()
		if err := j.write(e); err != nil {
			return err
		}
	}
	for _, c := range changes(j.view.groups, v.groups) {
		if err := j.write(entry{Time: j.now(), Source: c.Source, Field: c.Field, From: c.From, To: c.To}); err != nil {
			return err
		}
	}
	for _, e := range unknown(j.view.events, v.events) {
		if err := j.write(entry{Time: e.Time, Source: e.Source, Event: e.Message}); err != nil {
			return err
		}
	}
	j.view, j.away = v, false
	return nil
}

// showError prints the error of the first failed look only, until a look succeeds.
func (j *journal) showError(err error) error {
	if j.away {
		return nil
	}
	j.away = true
	return j.write(entry{Time: j.now(), Error: plain(err)})
}

func (j *journal) close() error { return nil }

// concerns are entries for the damage and the warnings that are new, and for those that are no more.
func concerns(before, after view) (all []entry) {
	was, is := before.concerns(), after.concerns()
	for _, e := range is {
		if !slices.ContainsFunc(was, e.concernsTheSame) {
			all = append(all, e)
		}
	}
	for _, e := range was {
		if !slices.ContainsFunc(is, e.concernsTheSame) {
			e.Gone = true
			all = append(all, e)
		}
	}
	return all
}

// concerns are an entry for each damage and each warning.
func (v view) concerns() (all []entry) {
	for _, d := range v.damage {
		all = append(all, entry{Damage: new(newDamageReport(d))})
	}
	for _, w := range v.warnings {
		all = append(all, entry{Warning: &w})
	}
	return all
}

func (e entry) concernsTheSame(other entry) bool {
	return reflect.DeepEqual(e.Damage, other.Damage) && reflect.DeepEqual(e.Warning, other.Warning)
}

func jsonLines(w io.Writer) func(entry) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return func(line entry) error { return e.Encode(line) }
}

func textLines(w io.Writer) func(entry) error {
	return func(e entry) error {
		_, err := fmt.Fprintf(w, "%s  %s\n", e.Time.Local().Format(time.TimeOnly), e)
		return err
	}
}

func (e entry) String() string {
	gone := ""
	if e.Gone {
		gone = "no more: "
	}
	switch {
	case e.Damage != nil:
		return gone + "damage in " + e.Damage.Region + ": " + flat(e.Damage.Message+"; next: "+e.Damage.Next)
	case e.Warning != nil:
		return gone + "warning: " + flat(e.Warning.Message+" next: "+e.Warning.Next)
	case e.Event != "":
		return e.Source + "  event: " + e.Event
	case e.Error != "":
		return "cannot look: " + e.Error
	}
	return change{e.Source, e.Field, e.From, e.To}.String()
}
