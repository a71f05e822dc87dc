// Command docgen writes what Prometheus and Grafana need to watch larder, docs/prometheus/rules.yml and
// docs/grafana/larder.json, from the alarms of the module. It runs in internal/exporter.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// docs is where the files go, from internal/exporter.
const docs = "../../docs"

func main() {
	if err := run(docs); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	files, err := files()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// files are the files' texts, by their names in docs.
func files() (map[string]string, error) {
	all, err := alarms()
	if err != nil {
		return nil, err
	}
	rules, err := rules(all)
	if err != nil {
		return nil, err
	}
	dashboard, err := dashboard(all)
	return map[string]string{"prometheus/rules.yml": rules, "grafana/larder.json": dashboard}, err
}
