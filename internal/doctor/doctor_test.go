package doctor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"larder/internal/childenv"
	"larder/internal/inventory"
)

var now = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// well is a machine on which an engine runs with a node, and nothing is wrong.
func well() Machine {
	return Machine{
		Inventory: inventory.Inventory{Processes: []inventory.Process{
			{PID: 10, Descriptors: 1 << 20, StateNumber: "1:2",
				Identity: inventory.Identity{Kind: childenv.Engine, State: "/s"}},
			{PID: 20, Descriptors: 1 << 20, StateNumber: "1:2",
				Identity: inventory.Identity{Kind: childenv.Node, State: "/s", ID: "a-001"}},
		}},
		Home: "/s", Version: "1", Now: now, Descriptors: 1 << 20,
		Directories: []Directory{{
			Path: "/s", Real: "/s", Held: true, Holder: 10, Newest: now,
			Room: Room{Bytes: 1 << 30, Inodes: 1 << 20, Counted: true},
		}},
		Engines: map[int]Engine{10: {PID: 10, Version: "1", Endpoint: "http://127.0.0.1:4566"}},
		Address: Address{Text: "127.0.0.1:4566", Taken: true, PID: 10, Holder: "process 10 (larder)"},
	}
}

func TestDiagnose(t *testing.T) {
	no := errors.New("no")
	for _, c := range []struct {
		what     string
		change   func(*Machine)
		severity Severity // empty: nothing is found
		check    Check
		says     string
	}{
		{"all is well", func(*Machine) {}, "", "", ""},
		{"nothing was ever started", func(m *Machine) {
			*m = Machine{Home: "/s", Descriptors: 1 << 20,
				Directories: []Directory{{Path: "/s", Missing: true, Room: Room{Bytes: 1 << 30}}}}
		}, "", "", ""},
		{"a file system that counts no inodes", func(m *Machine) { m.Directories[0].Room = Room{Bytes: 1 << 30} }, "",
			"", ""},

		{"the directory is gone", func(m *Machine) {
			m.Processes[0].Lost, m.Processes[1].Lost, m.Address.Taken = "/s",
				"/s", false
		}, Error, LostDirectory, "1 engine and 1 node (10, 20) run"},
		{"a node's directory is gone", func(m *Machine) { m.Processes[1].Lost = "/s/nodes/a-001" }, Error,
			LostDirectory, "/s/nodes/a-001 was deleted"},
		{"an engine is stopped", func(m *Machine) { m.Processes[0].Stopped = true }, Error, EngineSilent,
			"engine 10 of /s is stopped"},
		{"an engine does not answer", func(m *Machine) { m.Engines[10] = Engine{Err: no} }, Error, EngineSilent,
			"does not answer: no"},
		{"another has its socket", func(m *Machine) { m.Engines[10] = Engine{PID: 11, Version: "1"} }, Error,
			EngineSilent, "process 11 has its socket"},
		{"two engines", func(m *Machine) {
			second := m.Processes[0]
			second.PID = 11
			m.Processes = append([]inventory.Process{second}, m.Processes...)
		}, Error, TwoEngines, "2 engines (11, 10) run on the state directory /s"},
		{"a node without an engine", func(m *Machine) {
			m.Processes, m.Address.Taken = m.Processes[1:],
				false
			m.Directories[0].Held = false
		}, Error, NodeWithoutEngine, "1 node (20) of /s runs without an engine"},
		{"a group is not well", func(m *Machine) {
			m.Engines[10] = Engine{PID: 10, Version: "1", Groups: []Group{{"a", "modifying", "port 6379 is taken"}}}
		}, Error, GroupStatus, "replication group a is modifying: port 6379 is taken"},

		{"a damaged record", func(m *Machine) {
			m.Engines[10] = Engine{PID: 10, Version: "1", Damage: []Damage{{Check: DamagedRecord, What: `vpcs "vpc-1": it is ` +
				`null`}}}
		}, Error, DamagedRecord, `engine 10 of /s cannot read a record: vpcs "vpc-1": it is null`},
		{"damaged log events", func(m *Machine) {
			m.Engines[10] = Engine{PID: 10, Version: "1", Damage: []Damage{{Check: DamagedLogs, What: "/app (1.segment)"}}}
		}, Error, DamagedLogs, "some events of a log group: /app (1.segment)"},
		{"a damaged snapshot", func(m *Machine) {
			m.Engines[10] = Engine{PID: 10, Version: "1", Damage: []Damage{{Check: DamagedSnapshot,
				What: "s: its file is gone"}}}
		}, Error, DamagedSnapshot, "engine 10 of /s cannot read a snapshot: s: its file is gone"},
		{"damaged metrics", func(m *Machine) {
			m.Engines[10] = Engine{PID: 10, Version: "1", Damage: []Damage{{Check: DamagedMetrics, What: "x.cells"}}}
		}, Error, DamagedMetrics, "cannot read some samples of a file of metrics: x.cells"},

		{"others may read a key", func(m *Machine) {
			m.Directories[0].Modes = "master.key (mode 0640, should be 0600)"
		}, Error, StateDirectory, "at secrets, or this one not: master.key (mode 0640"},
		{"another user's key", func(m *Machine) {
			m.Directories[0].Refused = []error{errors.New("/s/master.key belongs to user 7\nnext: choose another")}
		}, Error, StateDirectory, "/s/master.key belongs to user 7"},
		{"a directory that cannot be read", func(m *Machine) { m.Directories[0].Err = no }, Error, StateDirectory,
			"cannot be looked at: no"},
		{"the store is gone", func(m *Machine) { m.Directories[0].Unusable = errors.New("gone\nnext: put it back") },
			Error, StateDirectory, "gone"},
		{"engine.json is damaged", func(m *Machine) { m.Directories[0].Info = no }, Error, StateDirectory, "no"},
		{"a stranger holds the directory",
			func(m *Machine) {
				m.Inventory, m.Address.Taken = inventory.Inventory{},
					false
			}, Error, StateDirectory, "held by process 10"},
		{"nobody knows who holds it", func(m *Machine) {
			m.Inventory, m.Address.Taken = inventory.Inventory{}, false
			m.Directories[0].Holder = 0
		}, Error, StateDirectory, "may not be looked at"},

		{"a neighbour has the address", func(m *Machine) {
			*m = Machine{Home: "/s", Descriptors: 1 << 20,
				Address: Address{Text: "127.0.0.1:4566", Taken: true, Holder: "process 9 (nc)", PID: 9}}
		}, Error, AddressInUse, "process 9 (nc) listens on 127.0.0.1:4566"},
		{"a lost engine has the address", func(m *Machine) { m.Processes[0].Lost, m.Processes = "/s", m.Processes[:1] },
			Error, LostDirectory, "listens on 127.0.0.1:4566"},
		{"another engine has the address", func(m *Machine) {
			m.Home = "/t"
			m.Directories = append([]Directory{{Path: "/t", Missing: true, Room: Room{Bytes: 1 << 30}}},
				m.Directories...)
		}, Warning, AddressInUse, "the engine of /s serves its API"},
		{"no redis-server", func(m *Machine) { m.Servers = no }, Error, RedisServer, "no engine can start: no"},
		{"no loopback addresses", func(m *Machine) { m.Loopback = no }, Error, LoopbackAddresses, "127.64.0.0"},
		{"a full disk", func(m *Machine) { m.Directories[0].Room.Bytes = 5 << 20 }, Warning, DiskRoom,
			"5 MiB are free"},
		{"no inodes", func(m *Machine) { m.Directories[0].Room.Inodes = 3 }, Warning, DiskRoom, "3 inodes are free"},
		{"few files", func(m *Machine) { m.Descriptors = 256 }, Warning, OpenFiles, "may have 256 files open"},
		{"few files of an engine", func(m *Machine) { m.Processes[0].Descriptors = 1024 }, Warning, OpenFiles,
			"engine 10 of /s may have 1024"},
		{"a clock that went back", func(m *Machine) { m.Directories[0].Newest = now.Add(time.Hour) }, Warning, Clock,
			"by 1h0m0s"},
		{"a bad setting", func(m *Machine) { m.Settings = []Setting{{"LARDER_BUSY_LIMIT", no}} }, Error, Environment,
			"no"},
		{"an old environment", func(m *Machine) {
			m.Shell = map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_CA_BUNDLE": "/s/ca-bundle.pem"}
			m.Wanted = map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:2", "AWS_CA_BUNDLE": "/s/ca-bundle.pem"}
		}, Warning, Environment, "AWS_ENDPOINT_URL of another engine"},
		{"an old AWS CLI", func(m *Machine) { m.OldCLI = "2.9.1" }, Note, Environment, "2.9.1, does not read"},
		{"an environment that is not larder's", func(m *Machine) {
			m.Shell = map[string]string{"AWS_ENDPOINT_URL": "https://example.com"}
			m.Wanted = map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:2"}
		}, "", "", ""},
		{"one that cannot be looked at", func(m *Machine) {
			m.Unknown = []inventory.Suspect{{PID: 5, Name: "redis-server", Kind: childenv.Node, Why: no}}
		}, Warning, UnknownProcess, "process 5 (redis-server) may be one of larder's"},
		{"an imitation", func(m *Machine) {
			m.Imitators = []inventory.Suspect{{PID: 5, Name: "sleep", Kind: childenv.Engine}}
		}, Note, UnknownProcess, "process 5 (sleep) has the mark"},
		{"hidepid", func(m *Machine) { m.Hidden = true }, Note, UnknownProcess, "hidepid"},
		{"a container", func(m *Machine) {
			m.Processes = append(m.Processes,
				inventory.Process{PID: 77, Foreign: true, Stopped: true, Lost: "/x",
					Identity: inventory.Identity{Kind: childenv.Engine, State: "/x"}})
		}, Note, OtherNamespace, "1 engine (77)"},
		{"another version", func(m *Machine) { m.Engines[10] = Engine{PID: 10, Version: "0"} }, Note, Program,
			"is larder 0, and this is 1"},
		{"a replaced program", func(m *Machine) { m.Processes[0].Replaced = true }, Note, Program,
			"replaced or deleted"},
		{"a leftover file", func(m *Machine) {
			m.Directories[0].Leftovers = []File{{Path: "/s/.engine.json-1", Changed: now.Add(-time.Hour)}}
		}, Warning, LeftoverFile, ".engine.json-1 in /s"},
		{"a file that is being written",
			func(m *Machine) {
				m.Directories[0].Leftovers = []File{{Path: "/s/.engine.json-1",
					Changed: now}}
			}, "", "", ""},
		{"damage set aside", func(m *Machine) { m.Directories[0].Damaged = []File{{Path: "/s/logs/a/1.damaged"}} },
			Note, LeftoverFile, "/s/logs/a/1.damaged"},
	} {
		m := well()
		c.change(&m)
		found := Diagnose(m)
		switch {
		case c.severity == "" && len(found) == 0:
		case c.severity == "" || len(found) != 1:
			t.Errorf("%s: %+v", c.what, found)
		case found[0].Severity != c.severity || found[0].Check != c.check ||
			!strings.Contains(found[0].Message, c.says) || found[0].Next == "":
			t.Errorf("%s: %+v", c.what, found[0])
		}
		if Healthy(found) != (c.severity == "" || c.severity == Note) {
			t.Errorf("%s: healthy is %t", c.what, Healthy(found))
		}
	}
}

// TestTheWorstComesFirst: errors, then warnings, then notes, and processes that are lost before all else.
func TestTheWorstComesFirst(t *testing.T) {
	m := well()
	m.Servers, m.Descriptors, m.Hidden, m.Processes[1].Lost = errors.New("no"), 1, true, "/s/nodes/a-001"
	var order []Check
	for _, f := range Diagnose(m) {
		order = append(order, f.Check)
	}
	want := []Check{LostDirectory, RedisServer, OpenFiles, UnknownProcess}
	if len(order) != len(want) {
		t.Fatalf("%v", order)
	}
	for i := range want {
		if order[i] != want[i] {
			t.Errorf("%v, want %v", order, want)
		}
	}
}

func TestCount(t *testing.T) {
	one := func(kind childenv.Kind) inventory.Process {
		return inventory.Process{Identity: inventory.Identity{Kind: kind}}
	}
	e, n, r := one(childenv.Engine), one(childenv.Node), one(childenv.Relay)
	for want, all := range map[string][]inventory.Process{
		"": nil, "1 engine": {e}, "2 nodes": {n, n}, "1 engine and 1 relay": {e, r},
		"2 engines, 3 nodes and 1 relay": {n, e, n, r, e, n},
	} {
		if got := Count(all); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
