package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/google/go-cmp/cmp"

	"larder/internal/audit"
	"larder/internal/caller"
	"larder/internal/store"
)

const account = "123456789012"

// things is what the actions of these tests change.
const things = store.Table[string]("things")

// rows is the table as it is documented: a row's names are CloudTrail's.
const rows = store.Table[map[string]any]("audit")

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(filepath.Join(t.TempDir(), "larder.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// listed are the rows in JSON, and the things that there are.
func listed(t *testing.T, s *store.Store) (recorded []map[string]any, kept []string) {
	t.Helper()
	err := s.View(func(tx *store.Tx) (err error) {
		if recorded, err = rows.All(tx); err != nil {
			return err
		}
		kept, err = things.All(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return recorded, kept
}

var asked = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// rotation is an event with a secret in it.
func rotation(id string) audit.Event {
	by := caller.User(account)
	by.AccessKeyID, by.Region, by.Address, by.UserAgent = "AKIDEXAMPLE", "us-east-1", "127.0.0.1", "aws-cli/2"
	return audit.Event{
		Caller: by, Service: "elasticache", Action: "ModifyReplicationGroup", Time: asked, RequestID: "r" + id,
		EventID: "e" + id, Input: &elasticache.ModifyReplicationGroupInput{
			ReplicationGroupId: new("mine"), AuthToken: new("correct-horse-battery"),
			NotificationTopicArn: new("arn:aws:sns:us-east-1:" + account + ":news"),
		},
	}
}

func put(what string) func(*store.Tx) error {
	return func(tx *store.Tx) error { return things.Put(tx, what, what) }
}

func TestARowIsWhatCloudTrailWouldSay(t *testing.T) {
	s := open(t)
	log := audit.Log{Store: s}
	ctx := log.Begin(t.Context(), rotation("1"))
	if err := audit.Update(ctx, s, put("a")); err != nil {
		t.Fatal(err)
	}
	if err := log.Finish(ctx); err != nil {
		t.Fatal(err)
	}
	var want []map[string]any
	if err := json.Unmarshal([]byte(`[{
		"eventVersion": "1.11", "eventTime": "2026-03-04T05:06:07Z", "eventSource": "elasticache.amazonaws.com",
		"eventName": "ModifyReplicationGroup", "awsRegion": "us-east-1", "sourceIPAddress": "127.0.0.1",
		"userAgent": "aws-cli/2", "requestID": "r1", "eventID": "e1", "eventType": "AwsApiCall",
		"readOnly": false, "managementEvent": true, "eventCategory": "Management",
		"recipientAccountId": "123456789012", "number": 1,
		"userIdentity": {"type": "IAMUser", "principalId": "AIDAFIZTJHT6MBVIVUXDB", "userName": "larder",
			"arn": "arn:aws:iam::123456789012:user/larder", "accountId": "123456789012", "accessKeyId": "AKIDEXAMPLE"},
		"requestParameters": {"replicationGroupId": "mine", "authToken": "HIDDEN_DUE_TO_SECURITY_REASONS",
			"notificationTopicArn": "arn:aws:sns:us-east-1:123456789012:news"},
		"resources": [{"ARN": "arn:aws:sns:us-east-1:123456789012:news", "accountId": "123456789012"}]
	}]`), &want); err != nil {
		t.Fatal(err)
	}
	got, _ := listed(t, s)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestBothOrNeither has transactions of actions fail in every way that there is.
func TestBothOrNeither(t *testing.T) {
	refused := errors.New("refused")
	nothing := func(*store.Tx) error { return nil }
	for name, test := range map[string]struct {
		change func(*store.Tx) error
		commit error // of the store
		things int   // that there are after a second transaction of the action, which adds one
	}{
		"goes well":                           {change: put("a"), things: 2},
		"is refused":                          {change: func(*store.Tx) error { return refused }, things: 1},
		"fails to be made durable":            {change: put("a"), commit: refused, things: 1},
		"changes nothing":                     {change: nothing, things: 1},
		"changes nothing, and cannot be kept": {change: nothing, commit: refused, things: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			log := audit.Log{Store: s}
			ctx := log.Begin(t.Context(), rotation("1"))
			if test.commit != nil {
				s.Refuse(func() error { return test.commit })
			}
			err := audit.Update(ctx, s, test.change)
			fails := name != "goes well" && name != "changes nothing"
			if (err != nil) != fails {
				t.Fatalf("got %v", err)
			}
			recorded, kept := listed(t, s)
			if fails && (len(recorded) > 0 || len(kept) > 0 || audit.Rows(ctx) != 0) {
				t.Errorf("what failed left %v and %v", recorded, kept)
			}
			// The action's next transaction, or the end of the action, keeps the one row.
			s.Refuse(nil)
			if err := audit.Update(ctx, s, put("b")); err != nil {
				t.Fatal(err)
			}
			if err := log.Finish(ctx); err != nil {
				t.Fatal(err)
			}
			recorded, kept = listed(t, s)
			if len(recorded) != 1 || len(kept) != test.things || audit.Rows(ctx) != 1 {
				t.Errorf("got %v and %v", recorded, kept)
			}
		})
	}
}

func TestFinishFailsTheAction(t *testing.T) {
	s := open(t)
	log := audit.Log{Store: s}
	ctx := log.Begin(t.Context(), rotation("1"))
	full := errors.New("the disk is full")
	s.Refuse(func() error { return full })
	if err := log.Finish(ctx); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutAnActionThereIsNoRow(t *testing.T) {
	s := open(t)
	if err := audit.Update(context.Background(), s, put("a")); err != nil {
		t.Fatal(err)
	}
	if recorded, kept := listed(t, s); len(recorded) != 0 || len(kept) != 1 {
		t.Errorf("got %v and %v", recorded, kept)
	}
}

// TestTheOldestRowsGo records more than is kept, then long afterwards.
func TestTheOldestRowsGo(t *testing.T) {
	s := open(t)
	log := audit.Log{Store: s}
	record := func(e audit.Event) {
		if err := audit.Update(log.Begin(t.Context(), e), s, func(*store.Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	record(rotation("first"))
	message := rotation("m")
	message.Service, message.Action = "sns", "Publish"
	for range 503 {
		record(message)
	}
	numbers := func() (first, last float64, count int) {
		recorded, _ := listed(t, s)
		for _, r := range recorded {
			if r["eventCategory"] == "Data" {
				last = r["number"].(float64)
				if count++; count == 1 {
					first = last
				}
			}
		}
		if recorded[len(recorded)-1]["requestID"] != "rfirst" {
			t.Error("messages drove out a change")
		}
		return first, last, count
	}
	if first, last, count := numbers(); first != 4 || last != 503 || count != 500 {
		t.Errorf("%d messages, %v to %v, want 500, 4 to 503", count, first, last)
	}
	// Ninety days later some go with each row that comes.
	message.Time = asked.Add(91 * 24 * time.Hour)
	for n := 1; n <= 3; n++ {
		record(message)
		first, last, count := numbers()
		if want := 500 - 15*n; count != want || last != float64(503+n) || first != float64(4+16*n) {
			t.Errorf("%d messages, %v to %v, want %d", count, first, last, want)
		}
	}
}
