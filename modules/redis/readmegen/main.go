// Command readmegen writes the tables in modules/redis/README.md and in the project's README.md from the module itself.
// It runs in modules/redis.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "readmegen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	for readme, tables := range readmes {
		path := filepath.Join(dir, readme)
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text, err := render(dir, string(old), tables)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
