// Command larder is larder on a clock that a test can move: the machine's, and as many nanoseconds more as a file says.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"larder/internal/cli"
)

// clockVariable names the file; test/chaos sets it.
const clockVariable = "LARDER_CLOCK_ENGINE"

func main() {
	os.Exit(cli.Main(func() time.Time {
		// Without its monotonic reading: a clock that jumps tells nothing of how long something took.
		return time.Now().Round(0).Add(offset(os.Getenv(clockVariable)))
	}))
}

func offset(path string) time.Duration {
	raw, err := os.ReadFile(path)
	if err != nil || len(raw) != 8 {
		panic(fmt.Sprintf("cannot read the clock's offset %q: %v", raw, err))
	}
	return time.Duration(binary.NativeEndian.Uint64(raw))
}
