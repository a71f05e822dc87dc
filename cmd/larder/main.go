// Command larder is a managed Redis on this machine.
package main

import (
	"os"

	"larder/internal/cli"
)

func main() { os.Exit(cli.Main()) }
