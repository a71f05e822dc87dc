package cli

import (
	"github.com/spf13/cobra"

	"larder/internal/module"
)

// callFlags are the flags of the commands that read module calls.
type callFlags struct {
	given           varFlags
	overrides       []string
	label           string
	verbose, strict bool
}

// add gives a command the flags. It is the verb in their texts.
func (f *callFlags) add(c *cobra.Command, verb string) {
	c.Flags().Var(&varFlag{&f.given, false}, "var", "set a variable: NAME=VALUE (repeatable)")
	c.Flags().Var(&varFlag{&f.given, true}, "var-file", "read variables from a .tfvars file (repeatable)")
	c.Flags().StringArrayVar(&f.overrides, "override", nil,
		"give a value of what is left to Terraform: `REFERENCE=VALUE` (repeatable)")
	c.Flags().StringVar(&f.label, "module", "", verb+" this module `CALL` alone: redis, or redis[\"eu\"] (default all)")
	c.Flags().BoolVar(&f.verbose, "verbose", false, "explain which inputs are not acted on in full")
	strictFlag(c, &f.strict)
}

// path is the file or directory that the command reads.
func (f *callFlags) path(args []string) string {
	if len(args) == 1 {
		return args[0]
	}
	return "."
}

// vars are the values that the command line and the environment give.
func (f *callFlags) vars(environ []string) module.Vars {
	return module.Vars{Args: f.given.args, Environ: environ, Overrides: f.overrides}
}
