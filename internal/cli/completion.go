package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

// completionCommand stands in for cobra's, which answers a shell that it does not know with its help, and success.
func (t *tool) completionCommand() *cobra.Command {
	shells := map[string]func(root *cobra.Command, w io.Writer) error{
		"bash": func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"fish": func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
		"zsh":  (*cobra.Command).GenZshCompletion,
	}
	names := slices.Sorted(maps.Keys(shells))
	return &cobra.Command{
		Use:   "completion bash|fish|zsh",
		Short: "Print a shell's completion script",
		Long: "Print the script by which a shell completes larder's commands, flags and names. Bash needs the package " +
			"bash-completion; zsh needs " +
			"`autoload -U compinit; compinit` before it.",
		Example: "  source <(larder completion bash)\n  larder completion fish > ~/.config/fish/completions/larder.fish\n  " +
			"source <(larder completion zsh)",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(names, args[0]) {
				return fmt.Errorf("name a shell, one of %v", names)
			}
			return nil
		},
		ValidArgs: names,
		RunE:      func(c *cobra.Command, args []string) error { return shells[args[0]](c.Root(), t.Stdout) },
	}
}
