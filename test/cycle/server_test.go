package cycle

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"larder/internal/testkit"
)

// laterVersion is what the second redis-server calls itself.
const laterVersion = "7.1.15"

// laterServer returns a directory with a second redis-server. Because one machine has one version, it is the machine's
// own with another number written into the program: what the tests show is that nodes come to run another executable,
// with its number in the record and in INFO, and not that two versions of Redis understand each other.
func laterServer(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		testkit.Missing(t, "there is no redis-server in PATH")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	own := regexp.MustCompile(`v=(7\.0\.\d\d)`).FindSubmatch(version(t, path))
	if own == nil {
		t.Fatalf("%s is not of 7.0 with a patch of two figures: %s", path, version(t, path))
	}
	dir := t.TempDir()
	later := filepath.Join(dir, "redis-server-later")
	text = bytes.ReplaceAll(text, append(own[1], 0), append([]byte(laterVersion), 0))
	// A process that is forked meanwhile has the file open for writing, and until it has become another nobody can run
	// it.
	syscall.ForkLock.RLock()
	err = os.WriteFile(later, text, 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	if said := version(t, later); !bytes.Contains(said, []byte("v="+laterVersion+" ")) {
		t.Fatalf("the renamed server says %s", said)
	}
	return dir
}

func version(t *testing.T, server string) []byte {
	t.Helper()
	out, err := exec.Command(server, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
