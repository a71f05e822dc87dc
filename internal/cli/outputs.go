package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"larder/internal/services/larder"
)

func (t *tool) outputsCommand() *cobra.Command {
	var id string
	c := &cobra.Command{
		Use:   "outputs [NAME]",
		Short: "Print the module's outputs, or one of them",
		Long: "Print the module's outputs, and those of the configuration, as `terraform output` does: all of them without " +
			"the secret ones, or the named one as it is, for scripts. " +
			"--json prints every output, secret ones too.",
		Example: "  larder outputs\n  larder outputs replication_group_primary_endpoint_address\n  " +
			"REDISCLI_AUTH=\"$(larder outputs auth_token)\" redis-cli --tls -h …",
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return t.completeOutput(c, args, id)
		},
		RunE: func(c *cobra.Command, args []string) error {
			engine, err := t.connect(c.Context())
			if err != nil {
				return err
			}
			d, err := engine.deployment(c.Context(), id)
			if err != nil {
				return err
			}
			return t.printOutputs(d, args, id)
		},
	}
	c.Flags().StringVar(&id, "deployment", "", "which deployment, by its replication group's id (default the only one)")
	ofNone := func(c *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		return t.completeDeployment(c, nil, word)
	}
	if err := c.RegisterFlagCompletionFunc("deployment", ofNone); err != nil {
		panic(err) // the flag is there
	}
	return t.regionFlag(t.jsonFlag(c), lookAt)
}

// deployment finds the deployment of that id, or the only one there is.
func (c *client) deployment(ctx context.Context, id string) (larder.Deployment, error) {
	all, err := c.deployments(ctx)
	if err != nil {
		return larder.Deployment{}, err
	}
	var ids, in []string
	var found larder.Deployment
	for _, d := range all {
		if d.ID == id || id == "" && len(all) == 1 {
			found, in = d, append(in, d.Region)
		}
		ids = append(ids, d.ID)
	}
	switch {
	case len(in) == 1:
		return found, nil
	case len(in) > 1:
		return found, severalRegions(id, in)
	case len(ids) == 0:
		return larder.Deployment{}, errors.New("there is no deployment: bring one up with `larder up DIR`")
	case id == "":
		return larder.Deployment{}, fmt.Errorf("there are several deployments, name one: %s", strings.Join(ids, ", "))
	}
	next := ""
	if _, err := c.group(ctx, id); err == nil {
		next = "\nnext: the group was made by the API, which deletes it: aws elasticache delete-replication-group " +
			"--replication-group-id " + id
	}
	return larder.Deployment{}, fmt.Errorf("there is no deployment %q; there are: %s%s", id, strings.Join(ids, ", "),
		next)
}

// output is an entry of the outputs as they are kept, and as `outputs --json` prints them: Terraform's form.
type output struct {
	Sensitive bool            `json:"sensitive"`
	Type      json.RawMessage `json:"type"`
	Value     json.RawMessage `json:"value"`
}

// outputs are a deployment's, by their names.
type outputs map[string]output

// outputsOf reads the outputs of a deployment that is complete.
func outputsOf(d larder.Deployment) (all outputs, err error) {
	if err := json.Unmarshal([]byte(d.Outputs), &all); err != nil {
		return nil, fmt.Errorf("cannot read the outputs of %s: %w", d.ID, err)
	}
	return all, nil
}

// read reads the value of one. One that is not there leaves what to points at as it is.
func (all outputs) read(name string, to any) error {
	if all[name].Value == nil {
		return nil
	}
	return json.Unmarshal(all[name].Value, to)
}

func unfinished(d larder.Deployment) error {
	return fmt.Errorf("%s is not complete: run `larder up %s` again, or `larder destroy %s`", d.ID, d.Source, d.ID)
}

// printOutputs prints all outputs of a deployment, or the named one. Asked is the deployment's id where it was given:
// the commands that are printed give it too.
func (t *tool) printOutputs(d larder.Deployment, names []string, asked string) error {
	if d.Outputs == "" {
		return unfinished(d)
	}
	if t.json && len(names) == 0 {
		_, err := io.WriteString(t.Stdout, d.Outputs)
		return err
	}
	all, err := outputsOf(d)
	if err != nil {
		return err
	}
	if len(names) == 1 {
		return t.printOutput(all, names[0])
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		value := "(sensitive: larder outputs " + name + ")"
		if asked != "" {
			value = "(sensitive: larder outputs --deployment " + asked + " " + name + ")"
		}
		if !all[name].Sensitive {
			value = display(all[name].Value)
		}
		fmt.Fprintf(t.Stdout, "%s = %s\n", name, value)
	}
	return nil
}

// printOutput prints one value: a string as it is, anything else as JSON.
func (t *tool) printOutput(all outputs, name string) error {
	o, ok := all[name]
	if !ok {
		return fmt.Errorf("there is no output %q; there are: %s", name,
			strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	var text string
	if !t.json && json.Unmarshal(o.Value, &text) == nil && string(o.Value) != "null" {
		_, err := fmt.Fprintln(t.Stdout.verbatim(), text)
		return err
	}
	fmt.Fprintln(t.Stdout, display(o.Value))
	return nil
}

// display shows a value on as few lines as it has: several lines of text stand as they are, below the name.
func display(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil && strings.Contains(text, "\n") {
		return "\n  " + strings.ReplaceAll(text, "\n", "\n  ")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return string(raw)
	}
	return compact.String()
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// found tells whether a search path has that program.
func found(searchPath, program string) bool { return lookUp(searchPath, program) != "" }

// shellWord spells a word for a shell, in quotes only where it needs them.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-") == "" {
		return s
	}
	return shellQuote(s)
}
