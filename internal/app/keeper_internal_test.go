package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/internal/isolate"
)

// TestAPanicInALookIsNoSighting: what cannot be looked at is unclear, and the rest is looked at all the same.
func TestAPanicInALookIsNoSighting(t *testing.T) {
	k, _ := newKeeper(t)
	if err := os.WriteFile(filepath.Join(string(k.home), "master.key"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k.add(part{kind: database, name: "larder.db", same: func(string, fs.FileInfo) (bool, error) { panic("of a test") }},
		part{kind: keyFile, name: "master.key"})
	if err := os.WriteFile(filepath.Join(string(k.home), "larder.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	found := <-k.check()
	if found[""].sighting != there || found["master.key"].sighting != there {
		t.Errorf("found %+v", found)
	}
	if s := found["larder.db"]; s.sighting != unclear || !isPanic(s.why) {
		t.Errorf("larder.db: %+v", s)
	}
	if gone := k.act(found, time.Now()); gone != nil {
		t.Errorf("the directory is taken for gone: %v", gone)
	}
}

// TestAPanicInTheCheckOfTheDirectoryEndsNothing: neither the engine nor, at its end, its nodes.
func TestAPanicInTheCheckOfTheDirectoryEndsNothing(t *testing.T) {
	k, _ := newKeeper(t)
	k.held = &os.File{} // of which every method panics
	if s := (<-k.check())[""]; s.sighting != unclear || !isPanic(s.why) {
		t.Errorf("the directory: %+v", s)
	}
	if gone := k.lost(); gone != nil {
		t.Errorf("the directory is taken for lost: %v", gone)
	}
}

// TestAPanicInAMendIsItsFailure: it is told once, and tried again.
func TestAPanicInAMendIsItsFailure(t *testing.T) {
	k, log := newKeeper(t)
	tries := 0
	k.add(part{kind: trust, name: "ca.pem", mend: func(Home) error {
		if tries++; tries < 3 {
			panic("of a test")
		}
		return nil
	}})
	for range 3 {
		k.act(map[string]seen{"": {sighting: there}, "ca.pem": {sighting: gone}}, time.Now())
	}
	if tries != 3 || strings.Count(log.String(), "cannot make it anew") != 1 ||
		strings.Count(log.String(), "which made it anew") != 1 {
		t.Errorf("%d tries:\n%s", tries, log)
	}
}

func isPanic(err error) bool {
	_, is := errors.AsType[*isolate.PanicError](err)
	return is
}
