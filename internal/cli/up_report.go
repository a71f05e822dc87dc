package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"larder/internal/awsregion"
	"larder/internal/deploy"
	"larder/internal/doctor"
	"larder/internal/module"
)

// deployed shows a call that was brought up.
func (t *tool) deployed(ctx context.Context, done upDone, r *deploy.Result, restarted string,
	took time.Duration) error {
	engine, d := done.engine, done.deployment
	s, err := engine.status(ctx, d.ID)
	if err != nil {
		return err
	}
	warnings, err := engine.warnings(ctx, []groupStatus{s})
	if err != nil {
		return err
	}
	if t.json {
		return printJSON(t.Stdout, upReport{ID: d.ID, Region: engine.Region, Changed: append([]string{}, r.Changed...),
			Restarted: restarted, Seconds: took.Seconds(), Warnings: warnings})
	}
	if err := t.printWarnings(warnings); err != nil {
		return err
	}
	if len(r.Changed) == 0 {
		fmt.Fprintf(t.Stdout, "%s in %s is as %s asks: nothing to change.\n", d.ID, engine.Region, d.Source)
	} else {
		fmt.Fprintf(t.Stdout, "%s is up in %s after %.1f s.\n", d.ID, engine.Region, took.Seconds())
	}
	s.print(t.Stdout)
	t.suggest(done.Call, done.Outputs)
	return nil
}

// upReport is what `up --json` prints.
type upReport struct {
	ID      string   `json:"id"`
	Region  string   `json:"region"`
	Changed []string `json:"changed"`
	// Restarted is what the group began again with, such as "without data", where none of its nodes had outlived the
	// last engine.
	Restarted string  `json:"restarted,omitempty"`
	Seconds   float64 `json:"seconds"`
	// Warnings are what there is to know of the group, the worst first.
	Warnings []doctor.GroupWarning `json:"warnings"`
}

// suggest prints the commands to try. They run in a shell as they stand.
func (t *tool) suggest(call *module.Call, outputs []module.Output) {
	self := t.Executable
	if wd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(wd, self); err == nil && !strings.HasPrefix(rel, "..") {
			self = "./" + rel
		}
	}
	in := ""
	if call.Region != awsregion.Home {
		in = " --region " + call.Region
	}
	fmt.Fprintf(t.Stdout, "\nTry, in this shell:\n  eval \"$(%s env%s)\"\n", shellWord(self), in)
	for _, o := range outputs {
		if text, ok := o.Value.(string); ok && (o.Name == "redis_cli_command" || o.Name == "connection_test_command") {
			fmt.Fprintf(t.Stdout, "  %s\n", text)
		}
	}
	fmt.Fprintf(t.Stdout, "  larder status\n  larder outputs --deployment %s\n", call.ReplicationGroupID())
	if slices.ContainsFunc(call.Companions.SNS, func(topic module.Topic) bool { return len(topic.Emails) > 0 }) {
		fmt.Fprintf(t.Stdout, "  larder mail --confirm\n")
	}
	if found(t.Getenv("PATH"), "aws") {
		fmt.Fprintf(t.Stdout, "  aws elasticache describe-replication-groups --replication-group-id %s\n",
			call.ReplicationGroupID())
	}
}
