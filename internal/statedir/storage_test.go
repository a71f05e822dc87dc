package statedir

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestAnErrorOfTheFileSystemSaysWhatToDo also tests that the error names the file system, and that other errors stay
// unchanged.
func TestAnErrorOfTheFileSystemSaysWhatToDo(t *testing.T) {
	t.Parallel()
	path := func(errno error) error {
		return fmt.Errorf("cannot read: %w", &fs.PathError{Op: "open", Path: "/s", Err: errno})
	}
	for name, c := range map[string]struct {
		err  error
		says string // empty: not an error of the file system
	}{
		"hang":      {&HangError{"/s", "reading engine.json", time.Second}, "have its server answer again"},
		"FUSE":      {path(unix.ENOTCONN), "mount it again"},
		"aborted":   {path(unix.ECONNABORTED), "mount it again"},
		"NFS":       {path(unix.ESTALE), "mount it again"},
		"disk":      {path(unix.EIO), "`dmesg` says what fails"},
		"damaged":   {path(unix.EUCLEAN), "repair it with fsck"},
		"checksum":  {path(unix.EBADMSG), "repair it with fsck"},
		"read-only": {path(unix.EROFS), "mount -o remount,rw"},
		"soft":      {path(unix.ETIMEDOUT), "have its server answer again"},
		"far":       {path(unix.EHOSTUNREACH), "have its server answer again"},
		"missing":   {path(unix.ENOENT), ""},
		"mode":      {path(unix.EACCES), ""},
		"full":      {path(unix.ENOSPC), ""},
		"socket":    {path(unix.ECONNREFUSED), ""},
		"pipe":      {path(unix.ENXIO), ""},
		"none":      {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := Storage("/s", c.err)
			var failed *StorageError
			if !errors.As(got, &failed) {
				if c.says != "" || got != c.err {
					t.Errorf("it is %v", got)
				}
				return
			}
			what, next, _ := strings.Cut(got.Error(), "\nnext: ")
			if c.says == "" || !strings.Contains(next, c.says) || !strings.Contains(what, "/s") || !errors.Is(got, c.err) {
				t.Errorf("it says %q, and next %q", what, next)
			}
			if again := Storage("/s", fmt.Errorf("again: %w", got)); again.Error() != "again: "+got.Error() {
				t.Errorf("wrapped again it says %q", again)
			}
		})
	}
}

func TestMountOf(t *testing.T) {
	t.Parallel()
	const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 0:41 / /home/me/my\040state rw - fuse.sshfs me@far:/x rw
32 22 0:42 / /srv rw - tmpfs tmpfs rw
33 22 0:43 / /srv rw master:1 - fuse over\134it rw
a line that is none
`
	for path, want := range map[string]Mount{
		"/":                       {"/", "ext4", "/dev/vda"},
		"/var/lib/x":              {"/", "ext4", "/dev/vda"},
		"/home":                   {"/home", "nfs4", "server:/home"},
		"/homes/a":                {"/", "ext4", "/dev/vda"},
		"/home/me/my state/deep":  {"/home/me/my state", "fuse.sshfs", "me@far:/x"},
		"/home/me/my state-other": {"/home", "nfs4", "server:/home"},
		"/srv/larder":             {"/srv", "fuse", `over\it`},
	} {
		if got := mountOf(mountinfo, path); got != want {
			t.Errorf("%s is on %+v, want %+v", path, got, want)
		}
	}
	if got := (Mount{"/srv", "nfs4", "far:/srv"}).String(); got != " (on /srv, which is far:/srv of type nfs4)" {
		t.Errorf("it is named %q", got)
	}
	if got := mountOf("", "/s").String(); got != "" {
		t.Errorf("an unknown one is named %q", got)
	}
}

// TestAnAnswerThatDoesNotCome tests that Answer gives up on f, and that it returns f's error if f returns in time.
func TestAnAnswerThatDoesNotCome(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	n, err := answer(time.Millisecond, "/s", "reading x", func() (int, error) { <-release; return 1, nil })
	var hang *HangError
	if n != 0 || !errors.As(err, &hang) || err.Error() != "reading x hangs: the file system of /s has not answered "+
		"for 1ms" {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := answer(time.Minute, "/s", "", func() (int, error) { return 2, unix.EIO }); n != 2 || err != unix.EIO {
		t.Errorf("%d, %v", n, err)
	}
}

// TestProbe tests that Probe accepts a directory that responds, whatever is in it, and one that does not exist.
func TestProbe(t *testing.T) {
	t.Parallel()
	pipe := t.TempDir()
	if err := unix.Mkfifo(pipe+"/engine.json", 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{t.TempDir(), t.TempDir() + "/none", pipe} {
		if err := Probe(dir); err != nil {
			t.Error(err)
		}
	}
}
