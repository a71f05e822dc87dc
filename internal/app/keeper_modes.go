package app

import (
	"time"

	"larder/internal/statedir"
)

// modesEvery is how often an engine that runs looks at the modes of everything in its state directory.
const modesEvery = 2 * time.Second

// modes is what keeper knows of the modes in the state directory.
type modes struct {
	looked time.Time
	told   string // why some are not mended
}

// keepModes mends the modes that somebody changed since the engine started, and says so; what it must not mend it
// tells once.
func (k *keeper) keepModes(now time.Time) {
	if now.Sub(k.modes.looked) < modesEvery && !now.Before(k.modes.looked) {
		return
	}
	k.modes.looked = now
	mended, err := statedir.New().Mend(k.held, string(k.home))
	if what := mended.String(); what != "" {
		k.log.Warn(what)
	}
	why := ""
	if err != nil {
		why = err.Error()
	}
	if why != "" && why != k.modes.told {
		k.log.Error("the engine does not mend what is in its state directory: it goes on",
			"home", string(k.home), "error", why)
	}
	k.modes.told = why
}
