package app

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWhatIsGoneAndWhatFollows is the whole table: each thing, each sighting. OPERATIONS has it in words.
func TestWhatIsGoneAndWhatFollows(t *testing.T) {
	all := []sighting{there, gone, replaced, deleted, unclear}
	for k, want := range map[kind][]remedy{
		directory: {goOn, goOn, goOn, end, tell}, // at first sight
		database:  {goOn, mend, setAside, goOn, tell},
		keyFile:   {goOn, mend, setAside, goOn, tell},
		infoKind:  {goOn, mend, goOn, goOn, tell},
		sockKind:  {goOn, mend, mend, goOn, tell},
		trust:     {goOn, mend, goOn, goOn, tell},
		ownLog:    {goOn, mend, mend, goOn, tell},
		nodesDir:  {goOn, mend, mend, goOn, tell},
		storeDir:  {goOn, mend, mend, goOn, tell},
		folder:    {goOn, mend, goOn, goOn, tell},
	} {
		for i, s := range all {
			if got := remedyFor(k, s, 0); got != want[i] {
				t.Errorf("%s %s: %q, want %q", k, s, got, want[i])
			}
			later := want[i]
			if k == directory && (s == gone || s == replaced) {
				later = end
			}
			if got := remedyFor(k, s, comeback); got != later {
				t.Errorf("%s %s for %s: %q, want %q", k, s, comeback, got, later)
			}
		}
	}
}

// TestOnlyWhatIsCertainlyGoneEndsNodes: a directory that is back in time is none that is gone, and one that cannot be
// looked at is never.
func TestOnlyWhatIsCertainlyGoneEndsNodes(t *testing.T) {
	type check struct {
		at time.Duration
		sighting
	}
	const s = time.Second
	for name, c := range map[string]struct {
		checks []check
		ends   bool
	}{
		"deleted":                        {[]check{{0, there}, {s, deleted}}, true},
		"moved":                          {[]check{{0, gone}, {s, gone}, {2 * s, gone}}, true},
		"moved, and replaced":            {[]check{{0, replaced}, {s, replaced}, {2 * s, replaced}}, true},
		"moved, and linked":              {[]check{{0, gone}, {s, there}, {3 * s, there}}, false},
		"moved and linked, again":        {[]check{{0, gone}, {s, there}, {3 * s, gone}, {4 * s, gone}}, false},
		"moved, seen once":               {[]check{{0, gone}, {s, gone}}, false},
		"cannot be looked at":            {[]check{{0, unclear}, {s, unclear}, {time.Hour, unclear}}, false},
		"moved, and cannot be looked at": {[]check{{0, gone}, {s, unclear}, {4 * s, unclear}}, false},
	} {
		k, log := newKeeper(t)
		ended := false
		for _, l := range c.checks {
			ended = k.act(map[string]seen{"": {sighting: l.sighting, why: errors.New("why")}},
				time.Unix(0, 0).Add(l.at)) != nil
		}
		if ended != c.ends {
			t.Errorf("%s: ends %t, want %t", name, ended, c.ends)
		}
		if n := strings.Count(log.String(), "cannot look at its state directory"); n > 1 {
			t.Errorf("%s: said %d times:\n%s", name, n, log)
		}
	}
}

func newKeeper(t *testing.T, parts ...part) (*keeper, *strings.Builder) {
	t.Helper()
	home := Home(filepath.Join(t.TempDir(), "state"))
	if err := os.Mkdir(string(home), 0o700); err != nil {
		t.Fatal(err)
	}
	held, err := os.Open(string(home))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	log := &strings.Builder{}
	return &keeper{home: home, held: held, log: slog.New(slog.NewTextHandler(log, nil)), parts: parts,
		state: map[string]seen{}}, log
}

// TestTheKeeperSeesWhatBecameOfItsDirectory looks at real directories.
func TestTheKeeperSeesWhatBecameOfItsDirectory(t *testing.T) {
	aside := func(h Home) string { return string(h) + "-moved" }
	move := func(h Home) error { return os.Rename(string(h), aside(h)) }
	for name, c := range map[string]struct {
		do    func(Home) error
		want  sighting
		moved bool
	}{
		"nothing":            {func(Home) error { return nil }, there, false},
		"removed":            {func(h Home) error { return os.RemoveAll(string(h)) }, deleted, false},
		"its parent removed": {func(h Home) error { return os.RemoveAll(filepath.Dir(string(h))) }, deleted, false},
		"removed, made again": {func(h Home) error {
			return errors.Join(os.RemoveAll(string(h)),
				os.Mkdir(string(h), 0o700))
		}, deleted, false},
		"moved": {move, gone, true},
		"moved, and linked": {func(h Home) error { return errors.Join(move(h), os.Symlink(aside(h), string(h))) },
			there, true},
		"moved, and replaced": {func(h Home) error { return errors.Join(move(h), os.Mkdir(string(h), 0o700)) },
			replaced, true},
		"moved, a file there": {func(h Home) error { return errors.Join(move(h), os.WriteFile(string(h), nil, 0o600)) },
			replaced, true},
	} {
		k, _ := newKeeper(t)
		if err := c.do(k.home); err != nil {
			t.Fatal(err)
		}
		if got := k.checkHome(); got.sighting != c.want {
			t.Errorf("%s: %s, want %s (%v)", name, got.sighting, c.want, got.why)
		}
		if c.moved != (k.whereabouts() == aside(k.home)) {
			t.Errorf("%s: it is at %q", name, k.whereabouts())
		}
		if lost := k.lost(); (lost != nil) != (c.want != there) {
			t.Errorf("%s: an engine that ends says %v", name, lost)
		}
	}
}

// TestEachPartIsMendedForItself: what is taken out while another part is made anew is told of all the same.
func TestEachPartIsMendedForItself(t *testing.T) {
	k, log := newKeeper(t)
	k.parts = slices.DeleteFunc(k.home.parts(k.held, holdings{certificate: []byte("own"), log: os.Stderr}),
		func(p part) bool { return p.kind != trust })
	if err := k.home.writeTrust([]byte("own")); err != nil {
		t.Fatal(err)
	}
	remove := func(path string) {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	remove(k.home.AuthorityFile())
	found := <-k.check()
	remove(k.home.BundleFile())
	k.act(found, time.Now())
	k.act(<-k.check(), time.Now())
	for _, name := range []string{"what=ca.pem", "what=ca-bundle.pem"} {
		if strings.Count(log.String(), name) != 1 {
			t.Errorf("not told of once: %s in\n%s", name, log)
		}
	}
}

// TestPartsAreMendedAndTold: once each, what is in the place of the engine's own is kept, and what cannot be mended is
// tried again.
func TestPartsAreMendedAndTold(t *testing.T) {
	fails := errors.New("no room")
	key := part{kind: keyFile, name: "master.key", same: holds([]byte("own")), mend: func(dir Home) error {
		if fails != nil {
			return fails
		}
		return os.WriteFile(dir.masterKey(), []byte("own"), 0o600)
	}}
	k, log := newKeeper(t, key, part{kind: folder, name: "mail",
		mend: func(dir Home) error { return makeFolder(dir.MailDir()) }})
	check := func() {
		t.Helper()
		if lost := k.act(<-k.check(), time.Now()); lost != nil {
			t.Fatal(lost)
		}
	}
	says := func(words string, times int) {
		t.Helper()
		if n := strings.Count(log.String(), words); n != times {
			t.Errorf("%q is said %d times, want %d:\n%s", words, n, times, log)
		}
	}
	check()
	check()
	says("cannot make it anew", 1)
	fails = nil
	check()
	says("which made it anew", 1)
	check()
	check()
	says("which made it anew", 1)
	if _, err := os.Stat(k.home.MailDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that was never there: %v", err)
	}

	if err := os.WriteFile(k.home.masterKey(), []byte("another's"), 0o600); err != nil {
		t.Fatal(err)
	}
	check()
	says("which made it anew", 2)
	own, err := os.ReadFile(k.home.masterKey())
	kept, errKept := filepath.Glob(k.home.masterKey() + ".replaced*")
	if string(own) != "own" || len(kept) != 1 || errors.Join(err, errKept) != nil {
		t.Errorf("the key is %q, kept are %v: %v", own, kept, errors.Join(err, errKept))
	}

	if err := os.Mkdir(k.home.MailDir(), 0o700); err != nil {
		t.Fatal(err)
	}
	check()
	if err := os.Remove(k.home.MailDir()); err != nil {
		t.Fatal(err)
	}
	check()
	if _, err := os.Stat(k.home.MailDir()); err != nil {
		t.Errorf("a folder that was there: %v", err)
	}
	says("what=mail", 1)
}

// TestModesAreMendedWhileTheEngineRuns: somebody opens what is private to others, more than once; what must not be
// mended is told once.
func TestModesAreMendedWhileTheEngineRuns(t *testing.T) {
	k, log := newKeeper(t)
	key, now := k.home.masterKey(), time.Unix(1000, 0)
	if err := errors.Join(os.WriteFile(key, nil, 0o600), os.Symlink("/etc/passwd", k.home.infoFile())); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := os.Chmod(key, 0o777); err != nil {
			t.Fatal(err)
		}
		k.keepModes(now.Add(modesEvery / 2)) // the second look is too early
		now = now.Add(modesEvery)
		k.keepModes(now)
		info, err := os.Stat(key)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the key has mode %v: %v", info.Mode(), err)
		}
	}
	if n := strings.Count(log.String(), "master.key (mode 0777, now 0600)"); n != 2 {
		t.Errorf("told %d times:\n%s", n, log)
	}
	if n := strings.Count(log.String(), "engine.json is a link to /etc/passwd"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log)
	}
}

// TestAGoneErrorSaysWhatToDo in one line, which the system's log takes.
func TestAGoneErrorSaysWhatToDo(t *testing.T) {
	for _, e := range []*GoneError{
		{Home: "/state", Seen: "deleted", Ended: 4},
		{Home: "/state", Seen: "gone", Now: "/elsewhere", Ended: 4},
		{Home: "/state", Seen: "replaced", Ended: 4, Err: errors.New("one stays")},
	} {
		text := e.Error()
		if strings.Contains(text, "\n") || !strings.Contains(text, "/state") ||
			!strings.Contains(text, "4 nodes and relays") ||
			!strings.Contains(text, "next: ") || !strings.Contains(text, "`larder up DIR`") ||
			!strings.Contains(text, e.Now) {
			t.Error(text)
		}
		if e.Err != nil && (!errors.Is(e, e.Err) || !strings.Contains(text, "one stays")) {
			t.Error(text)
		}
	}
}
