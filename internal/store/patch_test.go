package store_test

import (
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"larder/internal/store"
)

// earlier writes the state of an earlier larder to a file. format-1.db has the development example, written before
// there were formats. format-2.db has the production example, written before shards had records of their own.
func earlier(t *testing.T, name string) (path string) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "larder.db")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// rows returns everything a state holds, by table and key, as the file has it after the first head bytes of each
// record.
func rows(t *testing.T, path string, head int) map[string]string {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all := map[string]string{}
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(table []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(key, row []byte) error {
				all[string(table)+"/"+string(key)] = string(row[head:])
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// head is how many bytes of a record precede its row: a mark and a checksum. Rows of the first format have none.
const head = 5

func TestAStateOfAnEarlierLarderOpens(t *testing.T) {
	for name, c := range map[string]struct {
		group string
		head  int
	}{
		"format-1.db.gz": {"uex-payments-dev-redis", 0},
		"format-2.db.gz": {"uex-payments-prod-redis", head},
	} {
		t.Run(name, func(t *testing.T) {
			path := earlier(t, name)
			before := rows(t, path, c.head)
			for range 2 { // the second time the state is already current
				s := open(t, path)
				group := store.Table[struct{ ID, Status string }]("replication-groups")
				err := s.View(func(tx *store.Tx) error {
					g, err := group.Get(tx, c.group)
					if err == nil && (g.ID != c.group || g.Status != "available") {
						t.Errorf("the group reads %+v", g)
					}
					return err
				})
				if err := errors.Join(err, s.Close()); err != nil {
					t.Fatal(err)
				}
			}
			after := rows(t, path, head)
			group, shard := "replication-groups/"+c.group, "shards/"+c.group+"/0001"
			if diff := cmp.Diff(fields(t, before[group]), joined(t, after[group], after[shard])); diff != "" {
				t.Errorf("the group and its shard hold (-before +after):\n%s", diff)
			}
			for _, all := range []map[string]string{before, after} {
				for _, at := range []string{group, shard, "larder/digest"} {
					delete(all, at)
				}
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}

// fields returns the fields of a row.
func fields(t *testing.T, row string) (all map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(row), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// joined returns the fields of a group and of its shard. A field must be in only one of the two.
func joined(t *testing.T, group, shard string) map[string]any {
	t.Helper()
	all, of := fields(t, group), fields(t, shard)
	if of["GroupID"] != all["ID"] || of["ID"] != "0001" || len(of) < 5 {
		t.Errorf("the shard is %v", of)
	}
	delete(of, "GroupID")
	delete(of, "ID")
	for name, value := range of {
		if _, twice := all[name]; twice {
			t.Errorf("%s is in both", name)
		}
		all[name] = value
	}
	return all
}

func TestAnEarlierStateThatIsDamagedStaysAsItIs(t *testing.T) {
	path := earlier(t, "format-1.db.gz")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("replication-groups")).Put([]byte("g"), []byte("{not JSON"))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	before := rows(t, path, 0)
	var damaged *store.DamageError
	if _, err := store.Open(path); !errors.As(err, &damaged) {
		t.Errorf("%v", err)
	}
	if after := rows(t, path, 0); len(after) != len(before) || after["larder/digest"] != "" {
		t.Error("it was changed")
	}
}

func TestAStateOfALaterLarderIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "larder.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	row := `{"Schema":99}`
	sum := crc32.Checksum([]byte("6 larder 6 digest "+row), crc32.MakeTable(crc32.Castagnoli))
	record := append(binary.BigEndian.AppendUint32([]byte{1}, sum), row...)
	err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("larder")).Put([]byte("digest"), record) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(path); err == nil || !strings.Contains(err.Error(), "newer larder (format 99") {
		t.Errorf("%v", err)
	}
}
