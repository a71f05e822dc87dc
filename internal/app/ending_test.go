package app_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"larder/internal/app"
)

// An engine lets go of its directory before its process ends: who waits for both sees neither lock nor info file.
func TestAwaitFreeWaitsForTheProcess(t *testing.T) {
	t.Parallel()
	home := app.Home(t.TempDir())
	engine := exec.Command("sleep", "60")
	if err := engine.Start(); err != nil {
		t.Fatal(err)
	}
	defer engine.Wait()
	defer engine.Process.Signal(os.Kill)
	if err := home.AwaitFree(t.Context(), engine.Process.Pid, 50*time.Millisecond); err == nil {
		t.Error("it does not wait for the process")
	}
	if err := engine.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := home.AwaitFree(t.Context(), engine.Process.Pid, time.Minute); err != nil {
		t.Error(err)
	}
}
