package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"larder/internal/services/larder"
)

func (t *tool) operationsCommand() *cobra.Command {
	var group string
	c := &cobra.Command{
		Use:   "operations [ID]",
		Short: "Show what was asked of replication groups: what goes on, and what went before",
		Long: "Show what was asked of replication groups and takes time, such as a switchover, more replicas or a " +
			"snapshot: what goes on, with its stage, and " +
			"what went before, with its outcome. What larder does by itself, such as a failover, is there too. With an ID, " +
			"such as shop-dev-redis/7, all that is " +
			"known of one.\n\n" +
			"The last 50 of each group are kept, for 90 days, also when the group is gone. Without --group the last " +
			strconv.Itoa(latest) + " that have ended are shown; --json has all.",
		Example: "  larder operations\n  larder operations shop-dev-redis/7\n  larder operations --group shop-dev-redis " +
			"--json | jq '.operations[0].stage'",
		Args: cobra.MaximumNArgs(1), ValidArgsFunction: t.completeOperation,
		RunE: func(c *cobra.Command, args []string) error {
			return t.operations(c.Context(), strings.Join(args, ""), group)
		},
	}
	c.Flags().StringVar(&group, "group", "", "those of one replication group only, which may be gone")
	complete := func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return t.completeGroup(c, nil, typed)
	}
	if err := c.RegisterFlagCompletionFunc("group", complete); err != nil {
		panic(err) // the flag is there
	}
	return t.regionFlag(t.jsonFlag(c), lookAt)
}

// latest is how many operations that have ended are listed for people.
const latest = 20

// operationsReport is what `operations --json` prints.
type operationsReport struct {
	// Operations are those that go on, the ones that fail first, and then those that have ended, the newest first.
	Operations []operationStatus `json:"operations"`
}

// operationStatus is what is shown of one operation.
type operationStatus struct {
	ID        string     `json:"id"`
	Region    string     `json:"region"`
	Group     string     `json:"group"`
	Kind      string     `json:"kind"`
	Shard     string     `json:"shard"` // empty: it concerns the group as a whole
	Nodes     []string   `json:"nodes"` // that it is done to; none: not to certain ones
	From      string     `json:"from"`
	To        string     `json:"to"`
	By        string     `json:"by"` // empty when nobody knows
	Began     time.Time  `json:"began"`
	Ended     *time.Time `json:"ended"`                // nil while it goes on
	Outcome   string     `json:"outcome"`              // empty while it goes on
	Reason    string     `json:"reason"`               // of the outcome
	Stage     string     `json:"stage"`                // of one that goes on
	Done      *int64     `json:"done"`                 // nil where the stage is not counted
	Total     *int64     `json:"total"`                // nil where it is not known
	Unit      string     `json:"unit"`                 // of done and total
	LastError string     `json:"last_error,omitempty"` // what keeps the group from being as desired
}

func newOperationStatus(region string, o larder.Operation) operationStatus {
	s := operationStatus{ID: o.ID, Region: region, Group: o.ReplicationGroupId, Kind: o.Kind, Shard: o.NodeGroupId,
		Nodes: append([]string{}, o.CacheClusterIds...), From: o.From, To: o.To, By: o.By,
		Began: time.Unix(0, o.Began).UTC(), Outcome: o.Outcome, Reason: o.Reason, Stage: o.Stage, Unit: o.Unit,
		LastError: o.LastError}
	if o.Ended != 0 {
		s.Ended = new(time.Unix(0, o.Ended).UTC())
	}
	if o.Unit != "" {
		s.Done = &o.Done
	}
	if o.Total > 0 {
		s.Total = &o.Total
	}
	return s
}

func (t *tool) operations(ctx context.Context, id, group string) error {
	if id != "" && group != "" {
		return usageError{fmt.Errorf("--group is for the list, and the operation %s is of a group already", id)}
	}
	if named, _, whole := strings.Cut(id, "/"); id != "" {
		if group = named; !whole {
			return usageError{fmt.Errorf("%q is no operation: want its group and number, such as %s/1; --group %s lists "+
				"those of a group", id, id, id)}
		}
	}
	engine, err := t.connect(ctx)
	if err != nil {
		return err
	}
	all, err := engine.operations(ctx, group)
	if err != nil {
		return err
	}
	if id != "" {
		all = slices.DeleteFunc(all, func(o operationStatus) bool { return o.ID != id })
	}
	switch {
	case id != "" && len(all) == 0:
		return fmt.Errorf("there is no operation %s\nnext: larder operations", id)
	case group != "" && len(all) == 0:
		return fmt.Errorf("there is no operation of a replication group %s\nnext: larder operations", group)
	case t.json:
		return printJSON(t.Stdout, operationsReport{all})
	}
	return t.printOperations(all, id != "", group != "")
}

// operations are those of a group, or of all.
func (c *client) operations(ctx context.Context, group string) ([]operationStatus, error) {
	clients, err := c.each(ctx)
	if err != nil {
		return nil, err
	}
	all := []operationStatus{}
	for _, regional := range clients {
		var out larder.DescribeOperationsOutput
		in := larder.DescribeOperationsInput{ReplicationGroupId: group}
		if err := regional.call(ctx, "DescribeOperations", in, &out); err != nil {
			return nil, err
		}
		for _, o := range out.Operations {
			all = append(all, newOperationStatus(regional.Region, o))
		}
	}
	slices.SortStableFunc(all, func(a, b operationStatus) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), b.moment().Compare(a.moment()))
	})
	return all, nil
}

// rank puts what goes on first, and of that what something keeps from getting on.
func (o operationStatus) rank() int {
	switch {
	case o.Ended != nil:
		return 2
	case o.LastError == "":
		return 1
	}
	return 0
}

// moment is when the operation ended, or else when it began.
func (o operationStatus) moment() time.Time {
	if o.Ended != nil {
		return *o.Ended
	}
	return o.Began
}

func (t *tool) printOperations(all []operationStatus, one, whole bool) error {
	width, _ := terminal(t.Stdout)
	var lines []line
	switch now := time.Now(); {
	case one:
		for _, o := range all {
			lines = append(lines, o.details(now, width)...)
		}
	case len(all) == 0:
		lines = []line{{{"Nothing was asked of a replication group yet.", uncoloured}}}
	default:
		lines = operationLines(all, whole, now, width)
	}
	for _, l := range lines {
		if err := t.Stdout.line(l, width, t.coloured()); err != nil {
			return err
		}
	}
	return nil
}

// operationsNarrow names the columns that a terminal without room for all goes without, the first first.
var operationsNarrow = []string{"REGION", "BY", "BEGAN", "CHANGE"}

// operationLines list operations, at most so many that have ended where not all are to be shown.
func operationLines(all []operationStatus, whole bool, now time.Time, width int) []line {
	shown, ended := all[:0:0], 0
	for _, o := range all {
		if o.Ended != nil {
			ended++
		}
		if whole || ended <= latest {
			shown = append(shown, o)
		}
	}
	rows := [][]span{{{"OPERATION", dim}, {"WHAT", dim}, {"CHANGE", dim}, {"STATE", dim}, {"TOOK", dim}, {"BEGAN", dim},
		{"BY", dim}, {"REGION", dim}}}
	for _, o := range shown {
		rows = append(rows, []span{{o.ID, uncoloured}, {o.Kind, uncoloured}, {o.change(), uncoloured}, o.state(),
			{o.took(now), uncoloured}, {o.Began.Format("2006-01-02 15:04"), uncoloured}, {o.who(), uncoloured},
			{o.Region, uncoloured}})
	}
	table := columns(fitting(rows, operationsNarrow, width))
	lines := table[:1:1]
	for i, o := range shown {
		lines = append(append(lines, table[i+1]), o.why(width)...)
	}
	if more := len(all) - len(shown); more > 0 {
		lines = append(lines, line{{fmt.Sprintf("  %d earlier: larder operations --group GROUP", more), dim}})
	}
	return lines
}

// why are the lines that say what is wrong with an operation; none where nothing is.
func (o operationStatus) why(width int) (lines []line) {
	text := o.LastError
	if o.Outcome == "failed" || o.Outcome == "cancelled" {
		text = o.Reason
	}
	if text == "" {
		return nil
	}
	for _, l := range wrapped(text, max(width-6, 0)) {
		lines = append(lines, line{{"      " + l, o.state().colour}})
	}
	return lines
}

// details are all that is known of one operation.
func (o operationStatus) details(now time.Time, width int) []line {
	lines := []line{{{o.ID, bold}, {"  " + o.Kind + "  ", uncoloured}, o.state()}}
	ended := ""
	if o.Ended != nil {
		ended = o.Ended.Format(time.DateTime) + " UTC"
	}
	for _, field := range []struct{ name, value string }{
		{"change", o.change()}, {"nodes", strings.Join(o.Nodes, ", ")}, {"shard", o.Shard}, {"region", o.Region},
		{"began", o.Began.Format(time.DateTime) + " UTC"}, {"ended", ended}, {"took", o.took(now)},
		{"by", cmp.Or(o.By, "unknown")}, {"reason", o.Reason}, {"error", o.LastError},
	} {
		for i, text := range wrapped(field.value, max(width-11, 0)) {
			name := field.name
			if i > 0 {
				name = ""
			}
			if text != "" {
				lines = append(lines, line{{fmt.Sprintf("  %-9s", name), dim}, {text, uncoloured}})
			}
		}
	}
	return lines
}

// change is what becomes of what.
func (o operationStatus) change() string {
	switch {
	case o.From != "" && o.To != "":
		return o.From + " → " + o.To
	case o.To != "":
		return o.To
	}
	return strings.Join(o.Nodes, ", ")
}

// state is the outcome, or the stage with how much of it is done.
func (o operationStatus) state() span {
	switch o.Outcome {
	case "succeeded":
		return span{o.Outcome, green}
	case "failed":
		return span{o.Outcome, red}
	case "":
	default:
		return span{o.Outcome, uncoloured}
	}
	s := span{cmp.Or(o.Stage, "unknown"), yellow}
	if o.LastError != "" {
		s.colour = red
	}
	if o.Done == nil {
		return s
	}
	switch bytes := o.Unit == "bytes"; {
	case o.Total != nil && bytes:
		s.text += fmt.Sprintf(", %d%% of %s", *o.Done*100 / *o.Total, size(*o.Total))
	case o.Total != nil:
		s.text += fmt.Sprintf(", %d of %d", *o.Done, *o.Total)
	case bytes:
		s.text += ", " + size(*o.Done)
	}
	return s
}

// took is how long the operation took, or goes on.
func (o operationStatus) took(now time.Time) string {
	if o.Ended != nil {
		now = *o.Ended
	}
	switch d := max(now.Sub(o.Began), 0); {
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
}

// who is who asked, without what all ARNs of users begin with.
func (o operationStatus) who() string {
	return cmp.Or(o.By[strings.LastIndexByte(o.By, ':')+1:], "unknown")
}

// completeOperation completes the id of an operation.
func (t *tool) completeOperation(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	engine, err := t.connect(c.Context())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, err := engine.operations(c.Context(), "")
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, o := range all {
		ids = append(ids, o.ID+"\t"+o.Kind+", "+o.state().text)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
