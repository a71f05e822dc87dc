package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Variables of the environment that choose another run than the short one.
const (
	faultsVariable    = "LARDER_CHAOS_FAULTS"    // how many faults
	seedVariable      = "LARDER_CHAOS_SEED"      // of the schedule
	kindsVariable     = "LARDER_CHAOS_KINDS"     // only these, by name, with semicolons between them
	failoversVariable = "LARDER_CHAOS_FAILOVERS" // how many failovers must leak nothing
)

// The short run. Its seed is fixed, so that what fails once fails again.
const (
	shortFaults    = 50
	shortSeed      = 1
	shortFailovers = 100
)

var program string // path of the larder under test

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "larder-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "larder")
	if out, err := exec.Command("go", "build", "-o", program, "larder/test/chaos/larder").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "cannot build larder: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number from 1 on", name, text)
	}
	return n
}

// shortDir is a directory for a state directory. A socket's path may have 107 characters at most, and t.TempDir takes
// many of them.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "chaos-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestChaos(t *testing.T) {
	seed, count := setting(t, seedVariable, shortSeed), setting(t, faultsVariable, shortFaults)
	kinds, err := Kinds(os.Getenv(kindsVariable))
	if err != nil {
		t.Fatal(err)
	}
	faults := Schedule(uint64(seed), count, kinds)
	t.Logf("rerun: %s=%d %s=%d %s=%q go test -count=1 -v -timeout 0 -run TestChaos ./test/chaos",
		seedVariable, seed, faultsVariable, count, kindsVariable, os.Getenv(kindsVariable))
	for i, f := range faults {
		t.Logf("%3d %s", i+1, f)
	}
	report, err := Run(t.Context(), Config{Program: program, Dir: shortDir(t), Faults: faults, Say: t.Logf})
	var table strings.Builder
	if errPrint := report.Print(&table); errPrint != nil {
		t.Error(errPrint)
	}
	t.Logf("\n%s", table.String())
	if err != nil {
		t.Error(err)
	}
	if err := report.Broken(); err != nil {
		t.Error(err)
	}
}

func TestFailoversLeakNothing(t *testing.T) {
	failovers := setting(t, failoversVariable, shortFailovers)
	if err := Leaks(t.Context(), Config{Program: program, Dir: shortDir(t), Say: t.Logf}, failovers); err != nil {
		t.Error(err)
	}
}
