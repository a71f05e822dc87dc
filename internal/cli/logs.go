package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/spf13/cobra"
)

// logPause is between two looks at logs that are followed.
const logPause = 250 * time.Millisecond

func (t *tool) logsCommand() *cobra.Command {
	var w logsWanted
	var back string
	c := &cobra.Command{
		Use:   "logs [ID]",
		Short: "Show the slow log and the engine log of a replication group's nodes",
		Long: "Show the slow log and the engine log of a replication group's nodes, from the log groups that they are " +
			"delivered to, in the text form of " +
			"ElastiCache's records. --follow goes on showing what comes, until Ctrl-C or until the group is deleted.\n\n" +
			"ID may be left out when there is one group.",
		Example: "  larder logs\n  larder logs uex-payments-prod-redis --slow --follow\n  larder logs --engine --since 2h " +
			"--json",
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: t.completeGroup,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if w.since, err = parseSince(back, time.Now()); err != nil {
				return usageError{err}
			}
			return t.logs(c.Context(), strings.Join(args, ""), w)
		},
	}
	c.Flags().BoolVarP(&w.follow, "follow", "f", false, "go on showing what comes")
	c.Flags().BoolVar(&w.slow, "slow", false, "the slow log only")
	c.Flags().BoolVar(&w.engine, "engine", false, "the engine log only")
	c.Flags().StringVar(&back, "since", "10m",
		"how far back: a span such as 90s, 10m, 2h or 1d, or a time such as 2026-01-31T12:00:00Z")
	return t.regionFlag(t.jsonFlag(c), lookAt)
}

// logsWanted is what a user wants to see. With neither slow nor engine it is both.
type logsWanted struct {
	follow, slow, engine bool
	since                time.Time
}

func (w logsWanted) wants(t ectypes.LogType) bool {
	return w.slow == w.engine || w.slow == (t == ectypes.LogTypeSlowLog)
}

// parseSince reads a time, or how long ago it was.
func parseSince(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 36500 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	span, err := time.ParseDuration(text)
	if err != nil || span < 0 {
		return time.Time{}, fmt.Errorf("cannot read --since %q: want a span such as 90s, 10m, 2h or 1d, or a time such as "+
			"2026-01-31T12:00:00Z", text)
	}
	return now.Add(-span), nil
}

func (t *tool) logs(ctx context.Context, id string, w logsWanted) error {
	engine, err := t.connect(ctx)
	if err != nil {
		return err
	}
	g, err := engine.only(ctx, id)
	if err != nil {
		return err
	}
	engine = engine.of(g)
	deliveries := deliveriesOf(g, w)
	if len(deliveries) == 0 {
		return noDeliveries(g, w)
	}
	for _, d := range deliveries {
		if d.Status == ectypes.LogDeliveryConfigurationStatusError {
			fmt.Fprintf(t.Stderr, "%s: %s\n", d.LogType, aws.ToString(d.Message))
		}
	}
	write := t.logLines()
	r := newLogReader(aws.ToString(g.ReplicationGroupId), w.since, time.Now, func(group string) {
		fmt.Fprintf(t.Stderr, "Some events of %s cannot be read: their files were damaged on the disk. "+
			"All others are shown; `larder status` names the files.\n", group)
	})
	err = r.read(ctx, engine, deliveries, write)
	switch {
	case err != nil:
		return err
	case w.follow:
		return t.follow(ctx, r, w, deliveries, write)
	case len(r.seen) == 0:
		fmt.Fprintln(t.Stderr, nothingIn(deliveries, r.id, w.since))
	}
	return nil
}

// nothingIn says where nothing was found. Log groups may be of other replication groups too.
func nothingIn(deliveries []ectypes.LogDeliveryConfiguration, id string, since time.Time) string {
	var groups []string
	for _, d := range deliveries {
		if group := logGroup(d); group != "" {
			groups = append(groups, group)
		}
	}
	return fmt.Sprintf("There is nothing of %s since %s in %s; --since looks further back.", id,
		since.UTC().Format(time.RFC3339), strings.Join(groups, " and "))
}

// follow goes on reading until ctx ends, which is success, or the group is deleted. The engine may be away for a while.
func (t *tool) follow(ctx context.Context, r *logReader, w logsWanted, deliveries []ectypes.LogDeliveryConfiguration,
	write func(logLine) error) error {
	said := ""
	for pause(ctx, logPause) == nil {
		engine, err := t.connect(ctx)
		gone := false
		if err == nil {
			var g ectypes.ReplicationGroup
			var deleted *ectypes.ReplicationGroupNotFoundFault
			if g, err = engine.group(ctx, r.id); errors.As(err, &deleted) {
				gone, err = true, nil // what its nodes said last is there
			} else if err == nil {
				engine, deliveries = engine.of(g), deliveriesOf(g, w)
			}
		}
		if err == nil {
			err = r.read(ctx, engine, deliveries, write)
		}
		if err != nil {
			r.missed()
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case gone:
			fmt.Fprintf(t.Stderr, "%s is deleted.\n", r.id)
			return nil
		case errors.Is(err, errWrite):
			return err
		case err != nil && plain(err) != said:
			said = plain(err)
			fmt.Fprintln(t.Stderr, "cannot look:", said)
		case err == nil:
			said = ""
		}
	}
	return nil
}

// deliveriesOf are the deliveries of a group that are wanted.
func deliveriesOf(g ectypes.ReplicationGroup, w logsWanted) []ectypes.LogDeliveryConfiguration {
	return slices.DeleteFunc(slices.Clone(g.LogDeliveryConfigurations),
		func(d ectypes.LogDeliveryConfiguration) bool { return !w.wants(d.LogType) })
}

// noDeliveries says that there is nothing to show, and what to do.
func noDeliveries(g ectypes.ReplicationGroup, w logsWanted) error {
	id, what, types := aws.ToString(g.ReplicationGroupId), "logs", "slow_log_enabled and engine_log_enabled"
	switch {
	case w.slow && !w.engine:
		what, types = "slow log", "slow_log_enabled"
	case w.engine && !w.slow:
		what, types = "engine log", "engine_log_enabled"
	}
	return fmt.Errorf("%s does not deliver its %s\nnext: turn %s on in the module call, or a delivery by hand: aws "+
		"elasticache modify-replication-group --replication-group-id %s --log-delivery-configurations … "+
		"--apply-immediately",
		id, what, types, id)
}

// coloured tells whether standard output is a terminal that may be coloured.
func (t *tool) coloured() bool {
	_, isTerminal := t.Stdout.terminal()
	return isTerminal && t.Getenv("NO_COLOR") == "" && t.Getenv("TERM") != "dumb"
}
