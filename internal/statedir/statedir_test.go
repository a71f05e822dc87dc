package statedir_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"larder/internal/statedir"
	"larder/internal/testkit"
)

// lived creates a state directory as a used engine leaves it, and returns its path. Everything in it is private, and no
// directory above it can be entered by others.
func lived(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(closed(t), "state")
	for _, d := range []string{"nodes/shop-001", "logs/abc", "snapshots", "metrics", "mail/ops/new"} {
		must(t, os.MkdirAll(filepath.Join(dir, d), 0o700))
	}
	for _, f := range []string{"larder.db", "larder.db.reserve", "master.key", "engine.json", "engine.log",
		".engine.json-1", "nodes/shop-001/node.log", "logs/abc/1.log", "snapshots/s", "metrics/journal",
		"mail/ops/new/m"} {
		must(t, os.WriteFile(filepath.Join(dir, f), []byte("secret"), 0o600))
	}
	for _, f := range []string{"ca.pem", "ca-bundle.pem"} {
		must(t, os.WriteFile(filepath.Join(dir, f), []byte("certificate"), 0o644))
		must(t, os.Chmod(filepath.Join(dir, f), 0o644))
	}
	l, err := net.Listen("unix", filepath.Join(dir, "nodes/shop-001/s"))
	must(t, err)
	t.Cleanup(func() { l.Close() })
	must(t, os.Chmod(filepath.Join(dir, "nodes/shop-001/s"), 0o700))
	return dir
}

// closed returns a directory that no other user can enter.
func closed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o700))
	real, err := filepath.EvalSymlinks(dir)
	must(t, err)
	return real
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// modes returns the modes of a directory and everything below it, by path.
func modes(t *testing.T, dir string) map[string]fs.FileMode {
	t.Helper()
	found := map[string]fs.FileMode{}
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		found[strings.TrimPrefix(strings.TrimPrefix(path, dir), "/")] = info.Mode().Perm()
		return err
	}))
	return found
}

func TestWhatIsPrivateStaysAsItIs(t *testing.T) {
	t.Parallel()
	dir := lived(t)
	mended, err := statedir.New().Secure(dir)
	if err != nil || mended.String() != "" {
		t.Errorf("mended %q, %v", mended, err)
	}
	must(t, os.Chmod(filepath.Join(dir, "master.key"), 0o400)) // stricter than larder's mode
	if mended, err := statedir.New().Secure(dir); err != nil || mended.String() != "" {
		t.Errorf("mended %q, %v", mended, err)
	}
}

func TestAMissingDirectoryIsMadePrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(closed(t), "state", "of", "larder")
	if mended, err := statedir.New().Secure(dir); err != nil || mended.String() != "" {
		t.Errorf("mended %q, %v", mended, err)
	}
	for path, mode := range modes(t, filepath.Dir(filepath.Dir(dir))) {
		if mode != 0o700 {
			t.Errorf("%s has mode %v", path, mode)
		}
	}
}

// TestModesAreMended tests that wrong modes of any file of a state directory are corrected and reported in one line.
func TestModesAreMended(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"", "larder.db", "larder.db.reserve", "master.key", "engine.json", "engine.log",
		".engine.json-1", "ca.pem", "nodes", "nodes/shop-001", "nodes/shop-001/node.log", "nodes/shop-001/s",
		"logs", "logs/abc/1.log", "snapshots", "snapshots/s", "metrics/journal", "mail/ops", "mail/ops/new/m"} {
		for _, mode := range []fs.FileMode{0o777, 0o666, 0o604, 0o640, 0o622, 0o711, 0} {
			dir := lived(t)
			before := modes(t, dir)
			must(t, os.Chmod(filepath.Join(dir, file), mode))
			looked, errLook := statedir.New().Look(dir)
			mended, err := statedir.New().Secure(dir)
			if err != nil {
				t.Errorf("%q with %v: %v", file, mode, err)
				continue
			}
			said := file
			if file == "" {
				said = "the directory itself"
			}
			if line := mended.String(); !strings.Contains(line, said+" (mode 0") || strings.Contains(line, "\n") {
				t.Errorf("%q with %v: says %q", file, mode, line)
			}
			want := ": " + strings.ReplaceAll(looked.Modes, "should be", "now")
			if errLook != nil || len(looked.Refused) > 0 || !strings.HasSuffix(mended.String(), want) {
				t.Errorf("%q with %v: a look says %+v, %v: mended %q", file, mode, looked, errLook, mended)
			}
			for path, mode := range modes(t, dir) {
				if want := before[path]; mode != want && (path != file || mode&0o077 != 0) {
					t.Errorf("%q: %q has mode %v, want %v", file, path, mode, want)
				}
			}
		}
	}
}

// TestADirectoryThatIsHeldIsMended tests that the open directory is corrected wherever it is now, that nothing else is
// changed or created, and that a refusal does not keep the rest from being corrected.
func TestADirectoryThatIsHeldIsMended(t *testing.T) {
	t.Parallel()
	dir := lived(t)
	held, err := os.Open(dir)
	must(t, err)
	defer held.Close()
	if mended, err := statedir.New().Mend(held, dir); err != nil || mended.String() != "" {
		t.Errorf("of what is private: mended %q, %v", mended, err)
	}
	must(t, os.Rename(dir, dir+"-moved"))
	moved := dir + "-moved"
	before := modes(t, moved)
	must(t, os.Remove(filepath.Join(moved, "logs/abc/1.log")))
	must(t, os.Symlink("/etc/passwd", filepath.Join(moved, "logs/abc/1.log")))
	for _, name := range []string{"", "master.key", "nodes", "nodes/shop-001/node.log"} {
		must(t, os.Chmod(filepath.Join(moved, name), 0o777))
	}
	mended, err := statedir.New().Mend(held, dir)
	var refused *statedir.Refusal
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), dir+"/logs/abc/1.log is a link to /etc/passwd") {
		t.Errorf("of a link: %v", err)
	}
	line := mended.String()
	if len(mended.Files) != 4 || !strings.Contains(line, dir+" ") ||
		!strings.Contains(line, "master.key (mode 0777, now 0600)") {
		t.Errorf("mended %q", mended)
	}
	after := modes(t, moved)
	delete(before, "logs/abc/1.log")
	for name, mode := range before {
		if after[name] != mode {
			t.Errorf("%s has mode %v, had %v", name, after[name], mode)
		}
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory at the old path: %v", err)
	}
}

// refusal tests that Secure refuses a directory with these words.
func refusal(t *testing.T, c statedir.Checker, dir string, words ...string) {
	t.Helper()
	looked, errLook := c.Look(dir)
	mended, err := c.Secure(dir)
	var refused *statedir.Refusal
	if !errors.As(err, &refused) {
		t.Fatalf("mended %q, error %v: want a refusal", mended, err)
	}
	other := len(looked.Refused) > 0 && looked.Refused[0].Error() != err.Error()
	if errLook != nil || other || len(looked.Refused) == 0 && looked.Modes == "" {
		t.Errorf("a look says %v %v, and then %v", looked.Refused, errLook, err)
	}
	for _, w := range append(words, "next: ") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in %q", w, err)
		}
	}
}

// TestLinksAreNotFollowed tests that a link in place of one of larder's files or directories is refused, and that its
// target is unchanged.
func TestLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"larder.db", "master.key", "engine.json", "engine.log", "engine.sock", "ca.pem",
		"ca-bundle.pem", "nodes", "snapshots", "logs", "metrics", "mail", "nodes/shop-001", "nodes/shop-001/node.log",
		"mail/ops/new"} {
		dir, outside := lived(t), closed(t)
		file := filepath.Join(outside, "bashrc")
		must(t, os.WriteFile(file, []byte("mine"), 0o644))
		must(t, os.Chmod(file, 0o644))
		must(t, os.Chmod(outside, 0o755))
		for _, target := range []string{file, outside, filepath.Join(outside, "none")} {
			must(t, os.RemoveAll(filepath.Join(dir, name)))
			must(t, os.Symlink(target, filepath.Join(dir, name)))
			refusal(t, statedir.New(), dir, name+" is a link to "+target)
			if got := modes(t, outside); got[""] != 0o755 || got["bashrc"] != 0o644 || len(got) != 2 {
				t.Errorf("%s -> %s: outside has %v", name, target, got)
			}
		}
	}
}

func TestWhatLarderDoesNotMakeIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"larder.db", "master.key", "engine.json", "engine.log", "nodes",
		"nodes/shop-001/node.log"} {
		dir := lived(t)
		must(t, os.RemoveAll(filepath.Join(dir, name)))
		must(t, unix.Mkfifo(filepath.Join(dir, name), 0o600))
		refusal(t, statedir.New(), dir, name+" is a pipe")
	}
	dir := lived(t)
	second := filepath.Join(closed(t), "second")
	must(t, os.Link(filepath.Join(dir, "engine.log"), second))
	must(t, os.Chmod(second, 0o644))
	refusal(t, statedir.New(), dir, "engine.log", "second name")
}

// TestAnotherUsersAreRefused tests that another user's files are not used, whatever their mode.
func TestAnotherUsersAreRefused(t *testing.T) {
	t.Parallel()
	dir := lived(t)
	other := statedir.New()
	other.UID++ // now every file belongs to another user
	refusal(t, other, dir, "belongs to user", "run larder as that user")
	if os.Geteuid() != 0 {
		return // the rest needs root, to change the owner of files
	}
	for _, name := range []string{"", "master.key", "larder.db", "engine.sock", "nodes", "nodes/shop-001/node.log"} {
		dir := lived(t)
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); err != nil {
			must(t, os.WriteFile(path, nil, 0o600))
		}
		must(t, os.Lchown(path, 12345, 12345))
		refusal(t, statedir.New(), dir, path+" belongs to user 12345")
	}
}

// TestAnotherDirectoryIsNotTakenOver tests that nothing changes if LARDER_HOME names a home directory or a shared one.
func TestAnotherDirectoryIsNotTakenOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		holds []string
		mode  fs.FileMode
		words string
	}{
		{[]string{".bashrc", "Documents/"}, 0o755, "holds .bashrc, Documents, and nothing of larder"},
		{[]string{"a", "b", "c", "d", "e"}, 0o700, "holds a, b, c and 2 more, and nothing of larder"},
		{[]string{"logs/", "mail/"}, 0o755, "holds logs, mail, and nothing of larder"},
		{[]string{"larder.db", "master.key", ".bashrc"}, 0o755, "holds .bashrc, which is not larder's"},
		{[]string{"larder.db", "mailbox/", "nodes/"}, 0o711, "holds mailbox, which is not larder's"},
		{nil, 0o777 | fs.ModeSticky, "is one that users share"},
		{[]string{"larder.db"}, 0o777 | fs.ModeSticky, "is one that users share"},
	} {
		dir := filepath.Join(closed(t), "home")
		must(t, os.Mkdir(dir, 0o700))
		for _, name := range c.holds {
			if d, is := strings.CutSuffix(name, "/"); is {
				must(t, os.Mkdir(filepath.Join(dir, d), 0o755))
			} else {
				must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
			}
		}
		must(t, os.Chmod(dir, c.mode))
		before := modes(t, dir)
		refusal(t, statedir.New(), dir, c.words, "LARDER_HOME")
		for path, mode := range modes(t, dir) {
			if before[path] != mode {
				t.Errorf("%v: %q has mode %v now, had %v", c.holds, path, mode, before[path])
			}
		}
	}
	file := filepath.Join(closed(t), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	refusal(t, statedir.New(), file, "is a file")
}

// TestAStateDirectoryMayHoldMore tests that copies in the directory, and files of the file system, are no reason to
// refuse.
func TestAStateDirectoryMayHoldMore(t *testing.T) {
	t.Parallel()
	dir := lived(t)
	for _, name := range []string{"larder.db.bak", "master.key.old"} {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	must(t, os.Mkdir(filepath.Join(dir, "lost+found"), 0o755))
	must(t, os.Chmod(dir, 0o755))
	if _, err := statedir.New().Secure(dir); err != nil {
		t.Fatal(err)
	}
	got := modes(t, dir)
	if got[""] != 0o700 || got["larder.db.bak"] != 0o600 || got["master.key.old"] != 0o600 ||
		got["lost+found"] != 0o755 {
		t.Errorf("modes %v", got)
	}
	must(t, os.WriteFile(filepath.Join(dir, "notes"), nil, 0o644))
	if _, err := statedir.New().Secure(dir); err != nil { // no other user can enter it
		t.Error(err)
	}
}

// TestWhoMayReplaceTheDirectory has directories above it that others may write to.
func TestWhoMayReplaceTheDirectory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode    fs.FileMode
		refused bool
	}{
		{0o755, false}, {0o700, false}, {0o777, true}, {0o757, true}, {0o775, os.Getegid() == 0},
		{0o777 | fs.ModeSticky, false}, {0o770, os.Getegid() == 0},
	} {
		base := t.TempDir() // which others may enter
		must(t, os.Chmod(base, 0o755))
		must(t, os.Chmod(filepath.Dir(base), 0o755))
		if info, err := os.Stat(os.TempDir()); err != nil || info.Mode().Perm()&0o011 == 0 {
			testkit.Missing(t, "nobody else can pass the directory of temporary files")
		}
		parent := filepath.Join(base, "parent")
		must(t, os.Mkdir(parent, 0o700))
		must(t, os.Chmod(parent, c.mode))
		dir := filepath.Join(parent, "below", "state")
		if !c.refused {
			if _, err := statedir.New().Secure(dir); err != nil {
				t.Errorf("%v: %v", c.mode, err)
			}
			continue
		}
		refusal(t, statedir.New(), dir, "others may write to "+parent, "`chmod go-w "+parent+"`")
		if _, err := os.Stat(filepath.Join(parent, "below")); err == nil {
			t.Errorf("%v: it was made", c.mode)
		}
		must(t, os.Chmod(base, 0o700)) // no other user gets there
		if _, err := statedir.New().Secure(dir); err != nil {
			t.Errorf("%v behind a closed directory: %v", c.mode, err)
		}
	}
}

// TestALinkToTheDirectory tests that a link is followed if its owner is trusted, and that its target is checked.
func TestALinkToTheDirectory(t *testing.T) {
	t.Parallel()
	dir, base := lived(t), closed(t)
	link := filepath.Join(base, "link")
	must(t, os.Symlink(dir, link))
	must(t, os.Chmod(dir, 0o755))
	if mended, err := statedir.New().Secure(link); err != nil || !strings.Contains(mended.String(), link) {
		t.Errorf("mended %q, %v", mended, err)
	}
	must(t, os.WriteFile(filepath.Join(base, "other"), nil, 0o600))
	must(t, os.Remove(link))
	must(t, os.Symlink(base, link))
	refusal(t, statedir.New(), link, "nothing of larder")
	must(t, os.Remove(link))
	must(t, os.Symlink(link, link))
	if _, err := statedir.New().Secure(link); err == nil {
		t.Error("a link to itself is no directory")
	}
	if os.Geteuid() == 0 {
		must(t, os.Remove(link))
		must(t, os.Symlink(dir, link))
		must(t, os.Lchown(link, 12345, 12345))
		refusal(t, statedir.New(), link, "a link to "+dir, "user 12345")
	}
}

// TestAFileSystemWithoutModes covers a file system that ignores a mode, and one that refuses it.
func TestAFileSystemWithoutModes(t *testing.T) {
	t.Parallel()
	for _, answer := range []error{nil, unix.EPERM} {
		dir := lived(t)
		must(t, os.Chmod(filepath.Join(dir, "master.key"), 0o755))
		c := statedir.New()
		c.Chmod = func(string, fs.FileMode) error { return answer }
		refusal(t, c, dir, "master.key", "mode 0755", "tmpfs", "LARDER_HOME")
	}
}
