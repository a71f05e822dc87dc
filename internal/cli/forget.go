package cli

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"larder/internal/awsregion"
	"larder/internal/doctor"
	"larder/internal/services/larder"
)

func (t *tool) forgetCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "forget TABLE KEY",
		Short: "Delete a record that cannot be read",
		Long: "Delete one of larder's records that cannot be read, and with it what it is of: a log group's events, " +
			"for one. A copy of the " +
			"record is kept in the directory forgotten of the state directory. `larder status` lists such records, " +
			"each with this " +
			"command. A record that can be read is refused, and so is one that running nodes depend on. A KEY in " +
			"double quotes has " +
			"escape sequences as in Go.\n\n" + needsYes,
		Example: "  larder forget kms-keys 1234abcd-12ab-34cd-56ef-1234567890ab\n  larder forget log-streams " +
			"'\"app\\x00web\"' --yes",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return t.forget(c.Context(), args[0], args[1], yes)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return t.regionFlag(t.jsonFlag(c), "which region's record (default the one that has it)")
}

// forgetReport is what `forget --json` prints.
type forgetReport struct {
	Table   string   `json:"table"`
	Key     string   `json:"key"` // as the command takes it
	Region  string   `json:"region"`
	Copy    string   `json:"copy"`    // the file that the record is kept in
	Removed []string `json:"removed"` // what went with it
}

func (t *tool) forget(ctx context.Context, table, spelled string, yes bool) error {
	key, err := readKey(spelled)
	if err != nil {
		return err
	}
	engine, err := t.connect(ctx)
	if err != nil {
		return err
	}
	if engine, err = engine.withDamaged(ctx, table, key); err != nil {
		return err
	}
	question := fmt.Sprintf("Forget the record %s %q in %s, and what it is of?", table, key, engine.Region)
	if err := t.confirm(ctx, yes, question); err != nil {
		return err
	}
	var out larder.ForgetRecordOutput
	in := larder.ForgetRecordInput{Table: table, Key: []byte(key)}
	if err := engine.call(ctx, "ForgetRecord", in, &out); err != nil {
		return err
	}
	if t.json {
		return printJSON(t.Stdout, forgetReport{table, keyArgument(key), engine.Region, out.Copy,
			append([]string{}, out.Along...)})
	}
	t.tell("Forgotten: %s %q. Its record is kept as %s\n", table, key, out.Copy)
	if len(out.Along) > 0 {
		t.tell("Removed with it: %s\n", strings.Join(out.Along, ", "))
	}
	return nil
}

// withDamaged is the client for the region that has a damaged record. Where none has it, it is that of the first, which
// says so when it is asked.
func (c *client) withDamaged(ctx context.Context, table, key string) (*client, error) {
	clients, err := c.each(ctx)
	if err != nil {
		return nil, err
	}
	var in []string
	for _, regional := range clients {
		about, err := regional.engine(ctx)
		if err != nil {
			return nil, err
		}
		for _, d := range about.Damaged {
			if d.Table == table && string(d.Key) == key {
				in = append(in, regional.Region)
			}
		}
	}
	switch len(in) {
	case 0:
		return clients[0], nil
	case 1:
		return c.in(in[0]), nil
	}
	return nil, usageError{severalRegions(fmt.Sprintf("%s %q", table, key), in)}
}

// damage lists what the engine cannot read, in every region.
func (c *client) damage(ctx context.Context) (all []doctor.Damage, err error) {
	clients, err := c.each(ctx)
	if err != nil {
		return nil, err
	}
	for _, regional := range clients {
		about, err := regional.engine(ctx)
		if err != nil {
			return nil, err
		}
		for _, d := range []struct {
			check doctor.Check
			what  []string
		}{
			{doctor.DamagedRecord, damagedLines(regional.Region, about.Damaged)},
			{doctor.DamagedSnapshot, about.DamagedFiles.Snapshots},
			{doctor.DamagedLogs, about.DamagedFiles.Logs},
			{doctor.DamagedMetrics, about.DamagedFiles.Metrics},
		} {
			for _, what := range d.what {
				all = append(all, doctor.Damage{Check: d.check, Region: regional.Region, What: what})
			}
		}
	}
	return all, nil
}

// damagedLines are a line for each record, with the command that deletes it, or why there is none.
func damagedLines(region string, all []larder.DamagedRecord) (lines []string) {
	for _, d := range all {
		next := "it cannot be forgotten: " + d.Kept
		if d.Kept == "" {
			next = "be rid of it: `" + forgetLine(region, d) + "`"
		}
		lines = append(lines, fmt.Sprintf("%s %q: %s; %s", d.Table, d.Key, d.Error, next))
	}
	return lines
}

// forgetLine is the command, for a shell.
func forgetLine(region string, d larder.DamagedRecord) string {
	line := "larder forget " + d.Table + " " + spellKey(string(d.Key))
	if region != awsregion.Home {
		line += " --region " + region
	}
	return line
}

// plainKey matches keys that a shell and a terminal leave as they are, and that are no flag.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_/.:=@+][A-Za-z0-9_/.:=@+-]*$`)

// spellKey writes a key, which may be any bytes, as one word of a shell's command line.
func spellKey(key string) string {
	if plainKey.MatchString(key) {
		return key
	}
	return "'" + keyArgument(key) + "'"
}

// keyArgument is the argument that a key is given as.
func keyArgument(key string) string {
	if plainKey.MatchString(key) {
		return key
	}
	return strings.ReplaceAll(strconv.QuoteToASCII(key), "'", `\x27`)
}

// readKey reads what spellKey wrote, without the shell's quotes.
func readKey(spelled string) (string, error) {
	if !strings.HasPrefix(spelled, `"`) {
		return spelled, nil
	}
	key, err := strconv.Unquote(spelled)
	if err != nil {
		return "", usageError{fmt.Errorf("KEY is %s, and no text in double quotes with Go's escape sequences: "+
			"take the line that `larder status` shows", spelled)}
	}
	return key, nil
}
