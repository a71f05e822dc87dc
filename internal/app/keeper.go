package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"larder/internal/isolate"
)

const (
	checkEvery    = 500 * time.Millisecond
	checkPatience = 5 * time.Second // for a file system that does not answer
)

// keeper looks whether the state directory that an engine holds is still there, with what belongs in it.
type keeper struct {
	home Home
	held *os.File
	info Info // what the engine's own engine.json says
	log  *slog.Logger

	guard isolate.Guard
	mu    sync.Mutex
	parts []part

	state map[string]seen // by name; the directory's is empty
	modes modes           // of look's goroutine alone
	found *GoneError      // by watch
}

// part is something in the state directory.
type part struct {
	kind kind
	name string
	// same tells whether what has the name is the engine's own; nil: whatever has it is.
	same func(path string, info fs.FileInfo) (bool, error)
	// mend makes it anew in the directory.
	mend func(dir Home) error
}

// seen is what the last look at something found, and since when that is so.
type seen struct {
	sighting
	why   error // of unclear
	since time.Time
	done  remedy // what was done about it
}

// inside is the directory that is held, by a path that leads there whatever becomes of its name.
func inside(held *os.File) Home { return Home(fmt.Sprintf("/proc/self/fd/%d", held.Fd())) }

// add has the keeper look at more parts. Each is looked at once, however often it is added.
func (k *keeper) add(more ...part) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range more {
		if !slices.ContainsFunc(k.parts, func(had part) bool { return had.name == p.name }) {
			k.parts = append(k.parts, p)
		}
	}
}

// known are the parts that have been added.
func (k *keeper) known() []part {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.parts)
}

// watch looks until the directory is gone or ctx has ended.
func (k *keeper) watch(ctx context.Context) error {
	k.state = map[string]seen{}
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		checks := k.check()
		select {
		case found := <-checks:
			if k.found = k.act(found, time.Now()); k.found != nil {
				return nil
			}
		case <-time.After(checkPatience):
			k.act(map[string]seen{"": {sighting: unclear, why: fmt.Errorf("no answer for %s", checkPatience)}},
				time.Now())
			select {
			case <-checks:
			case <-ctx.Done():
				return nil
			}
		case <-ctx.Done():
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// lost tells, when watch is over, whether the directory is gone. It looks once more, at the directory alone: an engine
// that ends anyway does not leave nodes behind that nobody would find.
func (k *keeper) lost() *GoneError {
	if k.found != nil {
		return k.found
	}
	found := make(chan seen, 1)
	go func() { found <- k.guarded("", k.checkHome) }() // not waited for: a file system that hangs holds it for ever
	select {
	case s := <-found:
		if s.sighting != there && s.sighting != unclear {
			return k.goneError(s.sighting)
		}
	case <-time.After(checkPatience):
	}
	return nil
}

// check looks at everything, and mends modes. Nobody waits for its goroutine: a file system that hangs holds it for
// ever.
func (k *keeper) check() <-chan map[string]seen {
	found := make(chan map[string]seen, 1)
	go func() {
		all := map[string]seen{"": k.guarded("", k.checkHome)}
		if all[""].sighting == there {
			for _, p := range k.known() {
				all[p.name] = k.guarded(p.name, func() seen { return k.checkAt(p) })
			}
			k.guard.Run(k.log, "the modes in the state directory", func() { k.keepModes(time.Now()) })
		}
		found <- all
	}()
	return found
}

// guarded runs one check. One that panics has no answer.
func (k *keeper) guarded(name string, check func() seen) (s seen) {
	err := k.guard.Do("the check of "+k.called(name), func() error { s = check(); return nil })
	if err != nil {
		return seen{sighting: unclear, why: err}
	}
	return s
}

// called is what messages call something in the directory.
func (k *keeper) called(name string) string {
	if name == "" {
		return string(k.home)
	}
	return name
}

func (k *keeper) checkHome() seen {
	own, err := k.held.Stat()
	if err != nil {
		return seen{sighting: unclear, why: err}
	}
	info, err := os.Stat(string(k.home))
	switch {
	case err == nil && os.SameFile(own, info):
		return seen{sighting: there}
	case err != nil && !isGone(err):
		return seen{sighting: unclear, why: err}
	}
	known := k.whereabouts() != ""
	switch {
	case !known && own.Sys().(*syscall.Stat_t).Nlink == 0:
		return seen{sighting: deleted}
	case err != nil:
		return seen{sighting: gone}
	case known:
		return seen{sighting: replaced}
	}
	// Some network file systems number a directory anew from one look to the next.
	if i, err := k.home.ReadInfo(); err == nil && i == k.info {
		return seen{sighting: unclear,
			why: errors.New("its number has changed, and the engine's own engine.json is in it")}
	}
	return seen{sighting: replaced}
}

func (k *keeper) checkAt(p part) seen {
	path := inside(k.held).path(p.name)
	info, err := os.Stat(path)
	own := true
	if err == nil && p.same != nil {
		own, err = p.same(path, info)
	}
	switch {
	case err != nil && isGone(err):
		return seen{sighting: gone}
	case err != nil:
		return seen{sighting: unclear, why: err}
	case !own:
		return seen{sighting: replaced}
	}
	return seen{sighting: there}
}

// Is tells whether the directory is one that is open. An error says that it cannot be told.
func (h Home) Is(open *os.File) (bool, error) {
	own, err := open.Stat()
	if err != nil {
		return false, err
	}
	info, err := os.Stat(string(h))
	if err != nil && isGone(err) {
		return false, nil
	}
	return err == nil && os.SameFile(own, info), err
}

// isGone tells whether an error says that there is nothing of a name.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) }

// whereabouts is the path that the held directory has now; empty where it has none that leads to it.
func (k *keeper) whereabouts() string {
	path, err := os.Readlink(string(inside(k.held)))
	if err != nil {
		return ""
	}
	own, errOwn := k.held.Stat()
	info, err := os.Stat(path)
	if err != nil || errOwn != nil || !os.SameFile(own, info) {
		return ""
	}
	return path
}

func (k *keeper) goneError(s sighting) *GoneError {
	return &GoneError{Home: k.home, Seen: string(s), Now: k.whereabouts()}
}

// act does what follows from what was found at a time. What was done about something is not done again while it stays
// so.
func (k *keeper) act(found map[string]seen, now time.Time) *GoneError {
	if k.step(part{kind: directory}, found[""], now) == end {
		return k.goneError(found[""].sighting)
	}
	for _, p := range k.known() {
		if f, looked := found[p.name]; looked {
			k.step(p, f, now)
		}
	}
	return nil
}

// step does what follows from one finding, and returns it.
func (k *keeper) step(p part, found seen, now time.Time) remedy {
	before, known := k.state[p.name]
	if !known && found.sighting == gone && p.kind == folder { // it was never there: it is made when it is needed
		return goOn
	}
	if found.since, found.done = before.since, before.done; !known || before.sighting != found.sighting {
		found.since, found.done = now, goOn
	}
	r := remedyFor(p.kind, found.sighting, now.Sub(found.since))
	if r != found.done || r == mend || r == setAside {
		k.apply(r, p, found, r != found.done, now)
		found.done = r
	}
	k.state[p.name] = found
	return r
}

// apply does what concerns a part. A remedy that fails is tried again at the next look, and its failure told once.
func (k *keeper) apply(r remedy, p part, found seen, first bool, now time.Time) {
	name := k.called(p.name)
	kept := "" // of what was in its place
	var err error
	switch r {
	case tell:
		k.log.Error("the engine cannot look at its state directory: it goes on", "what", name, "error", found.why)
		return
	case setAside:
		kept = asideName(name, now)
		if err = os.Rename(inside(k.held).path(name), inside(k.held).path(kept)); err == nil {
			err = k.mend(p)
		}
	case mend:
		err = k.mend(p)
	default:
		return
	}
	switch {
	case err == nil:
		k.log.Error("something was taken out of the state directory under the running engine, which made it anew",
			"what", name, "was", string(found.sighting), "home", string(k.home), "kept", kept)
	case first:
		k.log.Error("something was taken out of the state directory under the running engine, which cannot make it "+
			"anew, and tries again",
			"what", name, "was", string(found.sighting), "home", string(k.home), "error", err)
	}
}

func (k *keeper) mend(p part) error {
	return k.guard.Do(p.name, func() error { return p.mend(inside(k.held)) })
}
