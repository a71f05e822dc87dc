package inventory

import (
	"errors"
	"testing"

	"larder/internal/childenv"
)

const uid = 1000

// The facts of processes as larder starts them.
var (
	engine = Facts{
		PID: 10, Parent: 1, Session: 10, UID: uid, State: 'S', Name: "larder",
		Args:    []string{"/usr/bin/larder", "serve", "--listen", "127.0.0.1:4566"},
		Environ: []string{"LARDER_PROCESS=engine", "LARDER_PROCESS_DIR=/s"},
		Files:   []string{"/dev/null", "/s", "/s/larder.db", "socket:[7]"}, Claims: true,
	}
	node = Facts{
		PID: 20, Parent: 10, Session: 20, UID: uid, State: 'S', Name: "redis-server",
		Args:       []string{"/usr/bin/redis-server 127.72.96.3:6379"},
		Executable: "/usr/bin/redis-check-rdb", Dir: "/s/nodes/a-001", Stdin: "/memfd:larder-0 (deleted)",
	}
	relay = Facts{
		PID: 30, Parent: 10, Session: 30, UID: uid, State: 'S', Name: "larder",
		Args:    []string{"/usr/bin/larder", "relay"},
		Environ: []string{"LARDER_PROCESS=relay", "LARDER_PROCESS_DIR=/s/nodes/a.reader"}, Dir: "/s/nodes/a.reader",
		Stdin: "/memfd:larder-0 (deleted)",
	}
)

func with(f Facts, change func(*Facts)) Facts {
	change(&f)
	return f
}

func TestIdentify(t *testing.T) {
	unmarked := func(f *Facts) { f.Environ = []string{"HOME=/h"} }
	for _, c := range []struct {
		what    string
		facts   Facts
		verdict Verdict
		kind    childenv.Kind
		state   string
	}{
		{"engine", engine, Ours, childenv.Engine, "/s"},
		{"engine by a person", with(engine, func(f *Facts) { f.Session = 5 }), Ours, childenv.Engine, "/s"},
		{"engine with a flag first", with(engine,
			func(f *Facts) {
				f.Args = []string{"larder", "--listen", "127.0.0.1:0",
					"serve"}
			}), Ours, childenv.Engine, "/s"},
		{"engine, deleted directory", with(engine,
			func(f *Facts) {
				f.Files = []string{"/s (deleted)",
					"/s/larder.db (deleted)"}
			}), Ours, childenv.Engine, "/s"},
		{"engine, stopped", with(engine, func(f *Facts) { f.State = 'T' }), Ours, childenv.Engine, "/s"},
		{"engine of an older larder", with(engine, unmarked), Ours, childenv.Engine, "/s"},
		{"engine through a link", with(engine,
			func(f *Facts) {
				f.Environ = []string{"LARDER_PROCESS=engine",
					"LARDER_PROCESS_DIR=/link"}
			}), Ours, childenv.Engine, "/s"},
		{"engine, program under another name",
			with(engine, func(f *Facts) {
				f.Name, f.Args = "larder-next",
					[]string{"larder-next", "serve"}
			}), Ours, childenv.Engine, "/s"},
		{"node", node, Ours, childenv.Node, "/s"},
		{"node, deleted directory", with(node, func(f *Facts) { f.Dir = "/s/nodes/a-001 (deleted)" }), Ours,
			childenv.Node, "/s"},
		{"node, nodes/ moved", with(node, func(f *Facts) {
			f.Dir, f.Stdin = "/aside/a-001", "/memfd:larder-0 /s/nodes/a-001 (deleted)"
		}), Ours, childenv.Node, "/s"},
		{"node, unmounted", with(node, func(f *Facts) {
			f.Dir, f.Stdin = "/a-001", "/memfd:larder-0 /s/nodes/a-001 (deleted)"
		}), Ours, childenv.Node, "/s"},
		{"another's file in memory", with(node, func(f *Facts) { f.Stdin = "/memfd:larder-01 (deleted)" }), Stranger,
			"", ""},
		{"node, parent gone", with(node, func(f *Facts) { f.Parent = 1 }), Ours, childenv.Node, "/s"},
		{"node, before its title", with(node,
			func(f *Facts) {
				f.Environ = []string{"LARDER_PROCESS=node",
					"LARDER_PROCESS_DIR=/s/nodes/a-001"}
			}), Ours, childenv.Node, "/s"},
		{"node, other server of the path", with(node, func(f *Facts) { f.Name = "redis-server-7" }), Ours,
			childenv.Node, "/s"},
		{"relay", relay, Ours, childenv.Relay, "/s"},
		{"relay of an older larder", with(relay, unmarked), Ours, childenv.Relay, "/s"},

		{"another user's engine", with(engine, func(f *Facts) { f.UID = 1 }), Stranger, "", ""},
		{"another user's node", with(node, func(f *Facts) { f.UID = 0 }), Stranger, "", ""},
		{"an engine that has ended", with(engine, func(f *Facts) { f.State = 'Z' }), Stranger, "", ""},
		{"another command of larder", with(engine, func(f *Facts) { f.Args = []string{"larder", "up"}; unmarked(f) }),
			Stranger, "", ""},
		{"a server with that argument", with(engine, func(f *Facts) { f.Files, f.Claims = nil, false; unmarked(f) }),
			Stranger, "", ""},
		{"a tool that has the store open", with(engine, func(f *Facts) { f.Claims = false; unmarked(f) }), Stranger, "",
			""},
		{"a backup of the store", with(engine,
			func(f *Facts) { f.Args = []string{"cp", "/s/larder.db", "/b"}; unmarked(f) }), Stranger, "", ""},
		{"a system redis-server", with(node, func(f *Facts) { f.Dir, f.Stdin = "/var/lib/redis", "/dev/null" }),
			Stranger, "", ""},
		{"a redis-server in a node's place", with(node, func(f *Facts) { f.Stdin = "/dev/null" }), Stranger, "", ""},
		{"a node's child", with(node, func(f *Facts) { f.PID = 21 }), Stranger, "", ""},
		{"a redis-server elsewhere", with(node, func(f *Facts) { f.Dir = "/s/other/a" }), Stranger, "", ""},
		{"redis-server asked by an engine",
			with(engine, func(f *Facts) {
				f.Name, f.Args, f.Files = "redis-server",
					[]string{"redis-server", "--version"}, nil
			}), Stranger, "", ""},
		{"a shell in a node's directory", with(node, func(f *Facts) { f.Name, f.Args = "bash", []string{"bash"} }),
			Stranger, "", ""},

		{"a mark alone", with(engine, func(f *Facts) {
			f.Name, f.Args, f.Files = "sleep", []string{"sleep", "60"},
				nil
		}), Imitation, childenv.Engine, ""},
		{"a mark and an argument", with(engine, func(f *Facts) { f.Name, f.Files, f.Claims = "tail", nil, false }),
			Imitation, childenv.Engine, ""},
		{"a relay's mark on a shell", with(relay, func(f *Facts) { f.Args = []string{"bash"} }), Imitation,
			childenv.Relay, ""},
		{"a node's mark on a relay", with(relay,
			func(f *Facts) {
				f.Environ = []string{"LARDER_PROCESS=node",
					"LARDER_PROCESS_DIR=/s/nodes/a.reader"}
			}), Imitation, childenv.Node, ""},

		{"an engine that may not be looked at",
			with(engine, func(f *Facts) {
				f.Unreadable, f.Files = errors.New("no"),
					nil
				unmarked(f)
			}), Unknown, childenv.Engine, ""},
		{"a node that may not be looked at", with(node, func(f *Facts) { f.Unreadable, f.Dir = errors.New("no"), "" }),
			Unknown, childenv.Node, ""},
		{"a stranger that may not be looked at",
			with(node, func(f *Facts) {
				f.Unreadable, f.Name, f.Args = errors.New("no"), "agent",
					[]string{"agent"}
			}), Stranger, "", ""},
		{"another's server that may not be looked at", with(engine, func(f *Facts) {
			f.Unreadable, f.Name, f.Args = errors.New("no"), "caddy", []string{"caddy", "serve"}
			f.Files, f.Claims = nil, false
			unmarked(f)
		}), Stranger, "", ""},
	} {
		id, verdict := Identify(c.facts, uid)
		if verdict != c.verdict || id.Kind != c.kind || id.State != c.state {
			t.Errorf("%s: %d, %+v", c.what, verdict, id)
		}
	}
}

func TestParseStat(t *testing.T) {
	const fields = " S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99 1 2"
	for _, name := range []string{"redis-server", "a) Z 7 (b", "with space", ""} {
		f, err := parseStat([]byte("42 (" + name + ")" + fields))
		if err != nil || f.PID != 42 || f.Parent != 1 || f.Session != 42 || f.Start != 99 || f.State != 'S' ||
			f.Name != name {
			t.Errorf("%q: %+v, %v", name, f, err)
		}
	}
	for _, bad := range []string{"", "42", "42 (a", "42 (a) S 1", "x (a)" + fields} {
		if f, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q: %+v", bad, f)
		}
	}
}

func TestSameState(t *testing.T) {
	p := func(state, number, lost string) Process {
		return Process{Identity: Identity{State: state}, StateNumber: number, Lost: lost}
	}
	for _, c := range []struct {
		what string
		a, b Process
		same bool
	}{
		{"one directory", p("/s", "1:2", ""), p("/s", "1:2", ""), true},
		{"one that was unmounted", p("/m/s", "1:2", "/m/s"), p("/s", "1:2", "/s"), true},
		{"made again at its path", p("/s", "1:2", "/s"), p("/s", "1:3", ""), false},
		{"an older engine", p("/s", "", ""), p("/s", "1:2", ""), true},
		{"an older engine, deleted", p("/s", "", "/s"), p("/s", "1:2", ""), false},
		{"others", p("/s", "1:2", ""), p("/t", "1:4", ""), false},
	} {
		if c.a.SameState(c.b) != c.same || c.b.SameState(c.a) != c.same {
			t.Errorf("%s: want %t", c.what, c.same)
		}
	}
}
