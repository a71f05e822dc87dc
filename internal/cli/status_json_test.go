package cli

import (
	"bytes"
	"testing"

	"larder/internal/doctor"
)

// TestStatusJSON: what scripts read of `status --json`. Fields may be added to it; none is taken away.
func TestStatusJSON(t *testing.T) {
	t.Parallel()
	lag := int64(12)
	groups := []groupStatus{{ID: "a", Region: "us-east-1", Status: "modifying", Reason: "why", Engine: "redis 7.0.15",
		NodeType: "cache.t3.micro", Primary: "127.0.0.1:6379", Reader: "127.0.0.2:6379", Nodes: []nodeStatus{
			{ID: "a-001", Zone: "us-east-1a", Role: "primary", Status: "available", Link: "in sync", Address: "127.0.0.3",
				PID: 7},
			{ID: "a-002", Role: "replica", Link: "syncing", Lag: &lag},
		}}}
	damage := []doctor.Damage{{Check: doctor.DamagedLogs, Region: "eu-west-1", What: "/app: 1.seg in logs/x"}}
	warnings := []doctor.GroupWarning{{Check: doctor.NoBackups, Region: "us-east-1", Groups: []string{"a"}, Message: "m",
		Next: "n"}}
	for name, c := range map[string]struct {
		report report
		want   string
	}{
		"nothing": {newReport([]groupStatus{}, nil, []doctor.GroupWarning{}), `{
  "groups": [],
  "damage": [],
  "warnings": []
}
`},
		"damage": {newReport(groups, damage, warnings), `{
  "groups": [
    {
      "id": "a",
      "region": "us-east-1",
      "status": "modifying",
      "reason": "why",
      "engine": "redis 7.0.15",
      "node_type": "cache.t3.micro",
      "primary_endpoint": "127.0.0.1:6379",
      "reader_endpoint": "127.0.0.2:6379",
      "nodes": [
        {
          "id": "a-001",
          "zone": "us-east-1a",
          "role": "primary",
          "status": "available",
          "link": "in sync",
          "lag_bytes": null,
          "address": "127.0.0.3",
          "pid": 7
        },
        {
          "id": "a-002",
          "zone": "",
          "role": "replica",
          "status": "",
          "link": "syncing",
          "lag_bytes": 12,
          "address": "",
          "pid": 0
        }
      ]
    }
  ],
  "damage": [
    {
      "check": "damaged-logs",
      "region": "eu-west-1",
      "message": "/app: 1.seg in logs/x",
      "next": "put back a copy of the files, or remove those that end in .damaged: see 'damaged ` +
			`log events' in docs/OPERATIONS.md"
    }
  ],
  "warnings": [
    {
      "check": "no-backups",
      "region": "us-east-1",
      "groups": [
        "a"
      ],
      "message": "m",
      "next": "n"
    }
  ]
}
`},
	} {
		var out bytes.Buffer
		if err := printJSON(&out, c.report); err != nil || out.String() != c.want {
			t.Errorf("%s: %v\n%s", name, err, &out)
		}
	}
}

// TestEachKindOfDamageIsToldOnce, under its title, with the region where that is another.
func TestEachKindOfDamageIsToldOnce(t *testing.T) {
	t.Parallel()
	var all []doctor.Damage
	for _, kind := range doctor.DamageKinds {
		all = append(all, doctor.Damage{Check: kind.Check, Region: "us-east-1", What: "first"},
			doctor.Damage{Check: kind.Check, Region: "eu-west-1", What: "second"})
	}
	var said bytes.Buffer
	tool := &tool{Stderr: printer{raw: &said}}
	tool.sayDamaged(all[:4])
	const want = `Damaged records: 2 of larder's records cannot be read, and nothing is done with what they are of.
  first
  second (in eu-west-1)
next: put back a copy of larder.db, or be rid of each as its line says: see 'Damaged records' in docs/OPERATIONS.md
Damaged snapshots: 2 snapshots cannot be restored.
  first
  second (in eu-west-1)
next: put back a copy of the file in snapshots, or delete the snapshot with DeleteSnapshot and take another
`
	if said.String() != want {
		t.Errorf("it says %s", &said)
	}
	for _, kind := range doctor.DamageKinds {
		if kind.Title == "" || kind.What == "" || kind.Next == "" || (doctor.Damage{Check: kind.Check}).Kind() != kind {
			t.Errorf("of %s it lacks something: %+v", kind.Check, kind)
		}
	}
}
