package app

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"
)

// asideName is what a thing of the state directory is kept as when another takes its place.
func asideName(name string, now time.Time) string {
	return name + ".replaced-" + now.UTC().Format("20060102T150405.000")
}

// makeWay sets aside a directory in the place of a file that an engine makes anew. Without an engine nobody would watch
// the nodes that run. Only the engine that holds the directory may.
func (h Home) makeWay(now time.Time, log *slog.Logger) error {
	var errs []error
	for _, name := range []string{"engine.json", "ca.pem", "ca-bundle.pem", socketName} {
		info, err := os.Lstat(h.path(name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			continue
		}
		kept := asideName(name, now)
		if err == nil {
			err = os.Rename(h.path(name), h.path(kept))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("cannot set aside what stands in the place of %s: %w", h.path(name), err))
			continue
		}
		log.Error("a directory stood in the place of a file of the state directory, which is made anew",
			"what", name, "kept", kept)
	}
	return errors.Join(errs...)
}
