package childenv_test

import (
	"slices"
	"strings"
	"testing"

	"larder/internal/childenv"
)

func TestOnlyWhatIsNeededIsPassedOn(t *testing.T) {
	t.Parallel()
	shell := []string{
		"PATH=/bin", "LC_ALL=C", "LC=x", "TF_VAR_redis_auth_token=canary", "AWS_SECRET_ACCESS_KEY=canary",
		"LARDER_TOKEN=canary", "PATHS=canary",
		"LARDER_HOME=/h", "path=canary", "=canary", "canary",
		"GOOGLE_CREDENTIALS=canary", "GOOGLE_OAUTH_ACCESS_TOKEN=canary", "GOPROXY=https://u:canary@h", "GOAUTH=canary",
		"HOME=/root", childenv.KindVariable + "=canary",
	}
	for kind, want := range map[childenv.Kind][]string{
		childenv.Engine: {"PATH=/bin", "LC_ALL=C", "LARDER_HOME=/h", "HOME=/root", "LARDER_PROCESS=engine",
			"LARDER_PROCESS_DIR=/d"},
		childenv.Node:  {"PATH=/bin", "LC_ALL=C", "HOME=/root", "LARDER_PROCESS=node", "LARDER_PROCESS_DIR=/d"},
		childenv.Relay: {"PATH=/bin", "LC_ALL=C", "HOME=/root", "LARDER_PROCESS=relay", "LARDER_PROCESS_DIR=/d"},
	} {
		got := childenv.Of(kind, "/d", shell)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
		if again := childenv.Of(kind, "/d", got); !slices.Equal(again, got) {
			t.Errorf("%s made of its own: %q, want %q", kind, again, got)
		}
		if k, dir, found := childenv.Mark(got); k != kind || dir != "/d" || !found {
			t.Errorf("the mark of %s reads %q %q %v", kind, k, dir, found)
		}
		if strings.Contains(strings.Join(got, " "), "canary") {
			t.Errorf("%s gets %q", kind, got)
		}
	}
	if _, _, found := childenv.Mark(shell); found {
		t.Error("an unknown kind is taken for a mark")
	}
}
