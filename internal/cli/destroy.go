package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"larder/internal/app"
	"larder/internal/deploy"
	"larder/internal/inventory"
	"larder/internal/node"
	"larder/internal/node/process"
	"larder/internal/services/larder"
)

func (t *tool) destroyCommand() *cobra.Command {
	var yes, skip bool
	c := &cobra.Command{
		Use:   "destroy [ID]",
		Short: "Delete a deployment and its data",
		Long: "Delete a deployment and its data. A final snapshot is kept where the module call asks for one " +
			"(skip_final_snapshot is false and " +
			"enable_snapshots true, as they are by default).\n\n" + needsYes,
		Example: "  larder destroy\n  larder destroy uex-payments-prod-redis --yes --skip-final-snapshot",
		Args:    cobra.MaximumNArgs(1), ValidArgsFunction: t.completeDeployment,
		RunE: func(c *cobra.Command, args []string) error {
			return t.destroy(c.Context(), strings.Join(args, ""), yes, skip)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&skip, "skip-final-snapshot", false, "keep no snapshot, whatever the module call says")
	return t.regionFlag(t.jsonFlag(c), lookAt)
}

// destroyReport is what `destroy --json` prints.
type destroyReport struct {
	ID      string   `json:"id"`
	Region  string   `json:"region"`
	Changed []string `json:"changed"` // what was deleted
	// FinalSnapshot is the snapshot that the group's deletion took; empty: none.
	FinalSnapshot string  `json:"final_snapshot,omitempty"`
	Seconds       float64 `json:"seconds"`
}

func (t *tool) destroy(ctx context.Context, id string, yes, skipSnapshot bool) error {
	engine, err := t.connect(ctx)
	if err != nil {
		return err
	}
	d, err := engine.deployment(ctx, id)
	if err != nil {
		return err
	}
	engine = engine.onlyIn(d.Region)
	if err := t.confirm(ctx, yes, fmt.Sprintf("Delete %s in %s and all its data?", d.ID, d.Region)); err != nil {
		return err
	}
	return t.destroyOn(ctx, engine, d, skipSnapshot)
}

// destroyOn deletes a deployment's resources, and forgets it when they are gone.
func (t *tool) destroyOn(ctx context.Context, engine *client, d larder.Deployment, skipSnapshot bool) error {
	own, err := engine.alone(ctx, d)
	if err != nil {
		return err
	}
	snapshot := ""
	for i := range own {
		if skipSnapshot {
			own[i].FinalSnapshot = ""
		}
		snapshot = cmp.Or(snapshot, own[i].FinalSnapshot) // of the one group
	}
	shown := newProgress(t.Stderr)
	err = engine.deployer(shown).Destroy(ctx, own)
	shown.finish()
	if err != nil {
		return err
	}
	if err := engine.call(ctx, "DeleteDeployment", larder.DeleteDeploymentInput{ID: d.ID},
		&larder.DeleteDeploymentOutput{}); err != nil {
		return err
	}
	if t.json {
		report := destroyReport{ID: d.ID, Region: engine.Region, Changed: append([]string{}, shown.done...),
			Seconds: shown.elapsed().Seconds()}
		if slices.Contains(shown.done, deploy.KeptSnapshot(snapshot)) {
			report.FinalSnapshot = snapshot
		}
		return printJSON(t.Stdout, report)
	}
	t.tell("%s is gone.\n", d.ID)
	return nil
}

// needsYes is in the help of each command that asks.
const needsYes = "It asks on a terminal first; without one it does nothing unless --yes is given."

// confirm asks on a terminal. Elsewhere there is nobody to ask, and only --yes will do.
func (t *tool) confirm(ctx context.Context, yes bool, question string) error {
	if yes {
		return nil
	}
	if _, ok := terminal(t.Stdin); !ok {
		return usageError{fmt.Errorf("%s There is no terminal to ask on: nothing was changed\nnext: add --yes",
			question)}
	}
	fmt.Fprintf(t.Stderr, "%s [y/N] ", question)
	if err := awaitKey(ctx,
		int(t.Stdin.(*os.File).Fd())); err != nil { // a terminal that reads by lines has a whole one then
		fmt.Fprintln(t.Stderr)
		return errNotConfirmed
	}
	answer, err := bufio.NewReader(t.Stdin).ReadString('\n')
	if err != nil || !slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(answer))) {
		return errNotConfirmed
	}
	return nil
}

var errNotConfirmed = errors.New("not confirmed: nothing was changed")

func (t *tool) downCommand() *cobra.Command {
	var yes, all bool
	c := &cobra.Command{
		Use:   "down",
		Short: "Stop the engine and its nodes",
		Long: "Stop the engine and its nodes. The nodes' data are lost: they are in memory only. What was deployed is " +
			"remembered: the next " +
			"`larder up` or `larder serve` brings it back, empty.\n\n" +
			"With --all, stop every engine, node and relay of yours on this machine, whatever state directory they " +
			"belong to, also where that is gone. " +
			"The exit code is 1 when any is left. `larder doctor` lists them.\n\n" + needsYes,
		Example: "  larder down\n  larder down --yes\n  larder down --all",
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			stop := t.down
			if all {
				stop = t.downAll
			}
			return t.reportDown(all, func() error { return stop(c.Context(), yes) })
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&all, "all", false, "stop every engine of yours on this machine, and what engines left")
	return t.jsonFlag(c)
}

func (t *tool) down(ctx context.Context, yes bool) error {
	engine, err := t.settle(ctx)
	if errors.Is(err, errNotRunning) {
		return t.stopLeftovers(ctx, yes)
	}
	if err != nil {
		return err
	}
	if err := t.confirm(ctx, yes, "Stop the engine and every node? The data in them are lost."); err != nil {
		return err
	}
	var out larder.StopEngineOutput
	if err := engine.call(ctx, "StopEngine", larder.StopEngineInput{}, &out); err != nil {
		return err
	}
	home, err := t.home()
	if err != nil {
		return err
	}
	if err := home.AwaitFree(ctx, engine.PID, 15*time.Second); err != nil {
		return err
	}
	if out.Nodes == 0 {
		t.tell("The engine is stopped; it had no nodes.\n")
	} else {
		t.tell("The engine and %s are stopped; the data in them are gone.\n", processes(int(out.Nodes)))
	}
	found, err := inventory.Scan()
	if err != nil {
		return fmt.Errorf("whether anything of an earlier state directory at %s runs cannot be told: %w", home, err)
	}
	return lostOf(home, found)
}

// stopLeftovers ends the nodes of an engine that is gone.
func (t *tool) stopLeftovers(ctx context.Context, yes bool) error {
	home, err := t.home()
	if err != nil {
		return err
	}
	var left []node.Process
	for _, dir := range app.NodesDirs(home) {
		runtime := &process.Runtime{Dir: dir}
		found, err := runtime.Adopt(ctx)
		if err != nil {
			return err
		}
		defer runtime.Close()
		left = append(left, found...)
	}
	if len(left) == 0 {
		return t.elsewhere(home)
	}
	if err := t.confirm(ctx, yes, fmt.Sprintf("The engine is gone; stop %s it left? The data in them are lost.",
		processes(len(left)))); err != nil {
		return err
	}
	for _, p := range left {
		err = errors.Join(err, p.Stop(ctx, 0))
	}
	if err == nil {
		t.tell("%s stopped; the data in them are gone.\n", processes(len(left)))
	}
	return err
}

func processes(n int) string {
	if n == 1 {
		return "1 process"
	}
	return fmt.Sprintf("%d processes", n)
}
