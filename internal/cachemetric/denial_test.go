package cachemetric

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDenials(t *testing.T) {
	var d Denials
	command := Denial{Reason: "command", Context: "toplevel", Object: "keys", User: "app", Count: 2}
	key := Denial{Reason: "key", Context: "toplevel", Object: "secret", User: "app", Count: 1}
	auth := Denial{Reason: "auth", Context: "toplevel", Object: "AUTH", User: "app", Count: 9}
	more := command
	more.Count = 5
	for _, step := range []struct {
		answered        string
		stale           bool
		log             []Denial
		cmd, key, wrong string
	}{
		{answered: "count=3", stale: true, log: []Denial{command, key, auth}, cmd: "2", key: "1", wrong: "4"},
		{answered: "count=3", cmd: "2", key: "1", wrong: "4"},
		{answered: "count=6", stale: true, log: []Denial{more, key}, cmd: "5", key: "1", wrong: "4"},
		// Another entry for the same, made a minute after the first.
		{answered: "count=8", stale: true, log: []Denial{command, more, key}, cmd: "7", key: "1", wrong: "4"},
		// The older one has left the log.
		{answered: "count=9", stale: true, log: []Denial{key, more}, cmd: "7", key: "1", wrong: "4"},
		{answered: "count=1", stale: true, log: nil, cmd: "7", key: "1", wrong: "4"}, // CONFIG RESETSTAT, ACL LOG RESET
	} {
		info := map[string]string{"errorstat_NOPERM": step.answered, "errorstat_WRONGPASS": "count=4"}
		if !Lacks(info) {
			t.Fatal("it is said to have the counts")
		}
		if d.Stale(info) != step.stale {
			t.Errorf("%s: stale is %v", step.answered, !step.stale)
		}
		if step.stale {
			d.Note(info, step.log)
		}
		d.Fill(info)
		want := map[string]string{
			"errorstat_NOPERM": step.answered, "errorstat_WRONGPASS": "count=4", "acl_access_denied_auth": step.wrong,
			"acl_access_denied_cmd": step.cmd, "acl_access_denied_key": step.key, "acl_access_denied_channel": "0",
		}
		if diff := cmp.Diff(want, info); diff != "" || Lacks(info) {
			t.Errorf("after %s: -want +got:\n%s", step.answered, diff)
		}
	}
}
