package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"
	"go.etcd.io/bbolt"

	"larder/internal/awssdk/ec2"
	"larder/internal/store"
	"larder/internal/testkit"
)

// damageTables puts rows that cannot be read among those of every table of a state that nobody has open, and returns
// how many there are.
func damageTables(t *testing.T, path string) (damaged int) {
	t.Helper()
	var s *store.Store
	testkit.Within(t, patience, "the state is let go of", func() (free bool) {
		var err error
		s, err = store.Open(path)
		return err == nil
	})
	tables := []string{"replication-groups", "parameter-groups", "subnet-groups", "snapshots", "credentials", "events",
		"notifications",
		"cache-cluster-tags", "vpcs", "subnets", "security-groups", "security-group-rules", "route-tables",
		"network-acls", "network-tags",
		"sns-topics", "sns-subscriptions", "sns-signers", "sns-messages", "sns-deliveries", "alarms", "dashboards",
		"alarm_history", "alarm_actions",
		"kms-keys", "kms-aliases", "secrets", "log-groups", "log-streams", "log-metric-filters",
		"log-resource-policies", "deployments"}
	shapes := []string{`{"Created":"not a time"}`, `[]`, `null`, `"text"`, `[{}]`}
	err := s.Update(func(tx *store.Tx) error {
		for _, table := range tables {
			for i, shape := range shapes {
				if table == "cache-cluster-tags" && i == 0 { // as tags it says something
					continue
				}
				damaged++
				if err := store.Table[json.RawMessage](table).Put(tx, fmt.Sprintf("0damaged-%d", i),
					json.RawMessage(shape)); err != nil {
					return err
				}
			}
			damaged++
			if err := store.Table[json.RawMessage](table).Put(tx, "zdamaged", json.RawMessage(`{}`)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil) // and a bit of one record of each is another
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, table := range tables {
			b, key := tx.Bucket([]byte(table)), []byte("zdamaged")
			record := append([]byte{}, b.Get(key)...)
			record[len(record)-1] ^= 1
			if err := b.Put(key, record); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return damaged
}

// TestDamagedRecordsStopNothing: with unreadable rows in every table the engine starts, ends no node, lists what can be
// read, fails over, and says what cannot be read.
func TestDamagedRecordsStopNothing(t *testing.T) {
	t.Parallel()
	const id = "uex-payments-dev-redis"
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	before := d.status(id)
	d.kill(d.pid())
	d.eventually("the engine is gone", func() bool { return len(d.pids()) == len(before.Nodes) })
	nodes := len(before.Nodes)
	damaged := damageTables(t, filepath.Join(d.home, "larder.db"))
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(read(t, filepath.Join(d.home, "engine.log")), d.larder("status").stderr)
		}
	})
	d.must("up", seed+"development.tf")
	d.eventually("the group is available", func() bool { return d.status(id).Status == "available" })
	if after := d.status(id); !maps.Equal(pidsOf(before), pidsOf(after)) || len(after.Nodes) != nodes {
		t.Errorf("nodes are %v, were %v", pidsOf(after), pidsOf(before))
	}
	said := ""
	d.eventually("every damaged record is told of", func() bool {
		said = d.larder("status").stderr
		return strings.Contains(said, fmt.Sprintf("Damaged records: %d ", damaged))
	})
	var report struct {
		Damage []struct{ Check, Message, Next string }
	}
	d.check(json.Unmarshal([]byte(d.must("status", "--json")), &report))
	for _, found := range report.Damage {
		if found.Check != "damaged-record" || !strings.Contains(said, found.Message) || found.Next == "" {
			t.Errorf("status --json tells of %+v", found)
		}
	}
	if len(report.Damage) != damaged {
		t.Errorf("status --json tells of %d damaged records, want %d", len(report.Damage), damaged)
	}
	ctx, config := context.Background(), d.config()
	cache := elasticache.NewFromConfig(config)
	for what, list := range map[string]func() error{
		"groups": func() error {
			out, err := cache.DescribeReplicationGroups(ctx, nil)
			return lists(err, len(out.ReplicationGroups) == 1)
		},
		"clusters": func() error {
			out, err := cache.DescribeCacheClusters(ctx, nil)
			return lists(err, len(out.CacheClusters) == nodes)
		},
		"parameter groups": func() error { _, err := cache.DescribeCacheParameterGroups(ctx, nil); return err },
		"subnet groups":    func() error { _, err := cache.DescribeCacheSubnetGroups(ctx, nil); return err },
		"snapshots":        func() error { _, err := cache.DescribeSnapshots(ctx, nil); return err },
		"events": func() error {
			out,
				err := cache.DescribeEvents(ctx, nil)
			return lists(err, len(out.Events) > 0)
		},
		"topics": func() error { _, err := sns.NewFromConfig(config).ListTopics(ctx, nil); return err },
		"subscriptions": func() error {
			_,
				err := sns.NewFromConfig(config).ListSubscriptions(ctx, nil)
			return err
		},
		"alarms": func() error {
			_,
				err := cloudwatch.NewFromConfig(config).DescribeAlarms(ctx, nil)
			return err
		},
		"alarm history": func() error {
			_,
				err := cloudwatch.NewFromConfig(config).DescribeAlarmHistory(ctx, nil)
			return err
		},
		"dashboards": func() error {
			_,
				err := cloudwatch.NewFromConfig(config).ListDashboards(ctx, nil)
			return err
		},
		"keys":    func() error { _, err := kms.NewFromConfig(config).ListKeys(ctx, nil); return err },
		"aliases": func() error { _, err := kms.NewFromConfig(config).ListAliases(ctx, nil); return err },
		"secrets": func() error {
			_,
				err := secretsmanager.NewFromConfig(config).ListSecrets(ctx, nil)
			return err
		},
		"log groups":     func() error { _, err := d.logs().DescribeLogGroups(ctx, nil); return err },
		"metric filters": func() error { _, err := d.logs().DescribeMetricFilters(ctx, nil); return err },
		"log policies":   func() error { _, err := d.logs().DescribeResourcePolicies(ctx, nil); return err },
		"VPCs":           func() error { _, err := ec2.NewFromConfig(config).DescribeVpcs(ctx, nil); return err },
		"subnets":        func() error { _, err := ec2.NewFromConfig(config).DescribeSubnets(ctx, nil); return err },
		"security groups": func() error {
			_,
				err := ec2.NewFromConfig(config).DescribeSecurityGroups(ctx, nil)
			return err
		},
		"rules": func() error {
			_,
				err := ec2.NewFromConfig(config).DescribeSecurityGroupRules(ctx, nil)
			return err
		},
		"route tables": func() error {
			_,
				err := ec2.NewFromConfig(config).DescribeRouteTables(ctx, nil)
			return err
		},
		"network ACLs": func() error {
			_,
				err := ec2.NewFromConfig(config).DescribeNetworkAcls(ctx, nil)
			return err
		},
		"by name": func() error {
			name := "0damaged-1"
			_, err := cache.DescribeReplicationGroups(ctx,
				&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &name})
			return refusal(err, name)
		},
		"deletion of a group": func() error {
			name := "zdamaged"
			_, err := cache.DeleteReplicationGroup(ctx,
				&elasticache.DeleteReplicationGroupInput{ReplicationGroupId: &name})
			return refusal(err, "larder down")
		},
		"deletion of a secret": func() error {
			name, force := "zdamaged", true
			_, err := secretsmanager.NewFromConfig(config).DeleteSecret(ctx,
				&secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: &force})
			return err
		},
		"deletion of an alarm": func() error {
			_, err := cloudwatch.NewFromConfig(config).DeleteAlarms(ctx,
				&cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"zdamaged"}})
			return err
		},
	} {
		if err := list(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	forgets(d)
}

// forgets has a damaged record be forgotten by the command that the list of them says: a copy of it is kept, it is
// listed no more, and the second time there is none. What can be read is refused.
func forgets(d *harness) {
	d.t.Helper()
	const line = "larder forget kms-keys zdamaged"
	if said := d.larder("status").stderr; !strings.Contains(said, line) {
		d.t.Errorf("status does not say %q:\n%s", line, said)
	}
	_, copied, found := strings.Cut(d.must("forget", "kms-keys", "zdamaged", "--yes"), "kept as ")
	if !found || len(read(d.t, strings.TrimSpace(copied))) == 0 {
		d.t.Errorf("the copy is %q", copied)
	}
	if said := d.larder("status").stderr; strings.Contains(said, line) {
		d.t.Errorf("status still says\n%s", said)
	}
	d.refused([]string{"forget", "kms-keys", "zdamaged", "--yes"}, "there is no record")
	d.refused([]string{"forget", "replication-groups", "uex-payments-dev-redis", "--yes"}, "can be read")
}

func lists(err error, whole bool) error {
	if err == nil && !whole {
		return errors.New("it lacks something")
	}
	return err
}

// refusal says where an error is not the one of a record that cannot be read.
func refusal(err error, words string) error {
	api, is := errors.AsType[smithy.APIError](err)
	if !is || !strings.HasPrefix(api.ErrorCode(), "Internal") || !strings.Contains(api.ErrorMessage(), words) {
		return fmt.Errorf("got %w, want an internal failure with %q", err, words)
	}
	return nil
}
