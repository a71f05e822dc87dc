// Command readmegen writes the tables in modules/redis/README.md from the module itself. It runs in that directory.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "readmegen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	old, err := os.ReadFile(dir + "/README.md")
	if err != nil {
		return err
	}
	text, err := render(dir, string(old))
	if err != nil {
		return err
	}
	return os.WriteFile(dir+"/README.md", []byte(text), 0o644)
}
