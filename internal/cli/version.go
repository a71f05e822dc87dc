package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"larder/internal/app"
)

// versionReport is what `version --json` prints.
type versionReport struct {
	Version string `json:"version"`
	Go      string `json:"go"` // that it was built with
}

func (t *tool) versionCommand() *cobra.Command {
	return t.jsonFlag(&cobra.Command{
		Use:     "version",
		Short:   "Print larder's version",
		Example: "  larder version --json",
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			if t.json {
				return printJSON(t.Stdout, versionReport{app.Version, runtime.Version()})
			}
			_, err := fmt.Fprintf(t.Stdout, "larder %s (%s)\n", app.Version, runtime.Version())
			return err
		},
	})
}
