// Command plainlint keeps lines within 120 characters and larder's former private words out of names, comments, messages
// and documents. It reads the files that Git knows, prints a line for each finding, and then ends with status 1. It runs
// in the root of the repository.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

func main() {
	out, err := exec.Command("git", "ls-files", "-co", "--exclude-standard").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, "plainlint: git ls-files:", err)
		os.Exit(2)
	}
	found, err := lint(os.DirFS("."), strings.Split(strings.TrimSpace(string(out)), "\n"), notYet)
	if err != nil {
		fmt.Fprintln(os.Stderr, "plainlint:", err)
		os.Exit(2)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		os.Exit(1)
	}
}
