// Command larder is a managed Redis on this machine.
package main

import (
	"os"
	"time"

	"larder/internal/cli"
)

func main() { os.Exit(cli.Main(time.Now)) }
