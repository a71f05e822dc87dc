package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/smithy-go"
	"github.com/spf13/cobra"

	"larder/internal/services/larder"
)

const (
	topPause = time.Second            // between two tables
	topFirst = 500 * time.Millisecond // what the first table is measured over
)

func (t *tool) topCommand() *cobra.Command {
	var once bool
	order := topOrders[0]
	c := &cobra.Command{
		Use:   "top [ID]",
		Short: "Show what each node does, live",
		Long: "Show what each node does: commands, hit rate, memory, lag, clients, processor and network, every second, " +
			"until q or Ctrl-C. CPU is in percent " +
			"of one processor. Without a terminal it prints a table each second, with --json an object.",
		Example: "  larder top\n  larder top uex-payments-prod-redis --sort memory\n  larder top --once --json",
		Args:    cobra.MaximumNArgs(1), ValidArgsFunction: t.completeGroup,
		RunE: func(c *cobra.Command, args []string) error {
			if !slices.Contains(topOrders, order) {
				return usageError{fmt.Errorf("invalid --sort %q: want one of %s", order, strings.Join(topOrders, ", "))}
			}
			id := strings.Join(args, "")
			return t.unknown(c.Context(), id, t.top(c.Context(), id, order, once))
		},
	}
	c.Flags().BoolVar(&once, "once", false, "print one table and end")
	c.Flags().StringVar(&order, "sort", order, "what the table is sorted by: "+strings.Join(topOrders, ", "))
	if err := c.RegisterFlagCompletionFunc("sort",
		cobra.FixedCompletions(topOrders, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is there
	}
	return t.regionFlag(t.jsonFlag(c), lookAt)
}

func (t *tool) top(ctx context.Context, id, order string, once bool) error {
	m := &meter{ask: (&inquiry{connect: t.connect, id: id}).ask, order: order, now: time.Now}
	if once {
		seen, err := m.look(ctx)
		if err != nil {
			return err
		}
		return t.topLog().show(seen)
	}
	f, isTerminal := t.Stdout.terminal()
	if t.json || !isTerminal || t.Getenv("TERM") == "dumb" {
		return t.deleted(id, watch(ctx, m.look, t.topLog(), topPause))
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	release, err := quitOn(ctx, t.Stdin, stop)
	if err != nil {
		return err
	}
	defer release()
	board := &topScreen{screen{w: f, size: func() (int, int) { return terminalSize(f) },
		coloured: t.Getenv("NO_COLOR") == ""}, load{}}
	return t.deleted(id, watch(ctx, m.look, board, topPause))
}

// topLog is where tables go without a terminal.
func (t *tool) topLog() *topLog { return &topLog{w: t.Stdout, json: t.json, now: time.Now} }

// inquiry asks the engine what nodes count, and finds it again after a restart.
type inquiry struct {
	connect func(context.Context) (*client, error)
	id      string // of a group; empty for all

	engine *client
}

func (i *inquiry) ask(ctx context.Context) (nodes []larder.Measured, err error) {
	if i.engine == nil {
		if i.engine, err = i.connect(ctx); err != nil {
			return nil, err
		}
	}
	nodes, err = i.engine.measure(ctx, i.id)
	var refused smithy.APIError
	var missing *ectypes.ReplicationGroupNotFoundFault
	if err != nil && !errors.As(err, &refused) && !errors.As(err, &missing) { // the next engine may listen elsewhere
		i.engine = nil
	}
	return nodes, err
}

// measure asks the nodes of a group, or of all where none is named, in every region that there is to look at.
func (c *client) measure(ctx context.Context, id string) (nodes []larder.Measured, err error) {
	clients, err := c.each(ctx)
	if err != nil {
		return nil, err
	}
	found := false
	var missing error
	for _, regional := range clients {
		var out larder.MeasureNodesOutput
		err := regional.call(ctx, "MeasureNodes", larder.MeasureNodesInput{ReplicationGroupId: id}, &out)
		var refused smithy.APIError
		switch {
		case err == nil:
			nodes, found = append(nodes, out.Nodes...), true
		case errors.As(err, &refused) && refused.ErrorCode() == notFoundCode:
			missing = &ectypes.ReplicationGroupNotFoundFault{Message: new(refused.ErrorMessage())}
		default:
			return nil, err
		}
	}
	if !found {
		return nil, missing
	}
	return nodes, nil
}

// meter makes rates of what nodes count.
type meter struct {
	ask   func(context.Context) ([]larder.Measured, error)
	order string
	now   func() time.Time

	before []larder.Measured
}

// look asks the nodes, the first time twice: one count is no rate.
func (m *meter) look(ctx context.Context) (load, error) {
	if m.before == nil {
		first, err := m.ask(ctx)
		if err != nil {
			return load{}, err
		}
		m.before = first
		select {
		case <-time.After(topFirst):
		case <-ctx.Done():
			return load{}, ctx.Err()
		}
	}
	after, err := m.ask(ctx)
	if err != nil {
		return load{}, err
	}
	seen := load{Time: m.now(), Nodes: loads(m.before, after, m.order)}
	m.before = after
	return seen, nil
}

// topScreen draws tables on a terminal.
type topScreen struct {
	screen
	load load
}

func (s *topScreen) show(l load) error {
	s.load = l
	return s.table(nil)
}

func (s *topScreen) showError(err error) error { return s.table(err) }

func (s *topScreen) table(lastError error) error {
	width, _ := s.size()
	return s.paint(func(height int) []line { return fitCounted(s.load.lines(lastError, width-1), height, "more node") })
}

// fitCounted leaves out what a terminal of that height has no room for, and counts it on the last line.
func fitCounted(lines []line, height int, what string) []line {
	if len(lines) <= height || height < 2 {
		return fit(lines, height)
	}
	kept := fit(lines, height-1)
	return append(slices.Clone(kept), line{{several(len(lines)-len(kept), what), yellow}})
}

// fit leaves out what a terminal of that height has no room for.
func fit(lines []line, height int) []line { return lines[:min(len(lines), max(height, 1))] }

// topLog prints tables one after the other, or objects.
type topLog struct {
	w    io.Writer
	json bool
	now  func() time.Time

	away bool
}

// topError is what `top --json` prints when the nodes could not be looked at.
type topError struct {
	Time  time.Time `json:"time"`
	Error string    `json:"error"`
}

func (l *topLog) show(seen load) error {
	l.away = false
	if l.json {
		return jsonLine(l.w, seen)
	}
	for _, line := range seen.lines(nil, 0) {
		if _, err := fmt.Fprintln(l.w, line.draw(0, false)); err != nil {
			return err
		}
	}
	return nil
}

// showError prints the error of the first failed look only, until a look succeeds.
func (l *topLog) showError(err error) error {
	if l.away {
		return nil
	}
	l.away = true
	if l.json {
		return jsonLine(l.w, topError{l.now(), plain(err)})
	}
	_, err = fmt.Fprintln(l.w, "cannot look:", plain(err))
	return err
}

func (l *topLog) close() error { return nil }
