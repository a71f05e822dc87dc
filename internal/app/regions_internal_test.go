package app

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"golang.org/x/sys/unix"

	"larder/internal/awsregion"
	"larder/internal/store"
)

// opening are regions of which nothing but the first is open, what is said of them, and the names that are opened. An
// error is what opening comes to.
func opening(failure error) (rs *regions, said *bytes.Buffer, opened *[]string) {
	said, opened = &bytes.Buffer{}, &[]string{}
	rs = &regions{first: &region{name: awsregion.Home}, others: map[string]*region{},
		log: slog.New(slog.NewTextHandler(said, nil))}
	rs.open = func(name string) (*region, error) {
		*opened = append(*opened, name)
		return &region{name: name}, failure
	}
	return rs, said, opened
}

// TestARegionWithoutARecordIsOpened: a flipped bit in the key of its record leaves its directory, and its nodes may
// run.
func TestARegionWithoutARecordIsOpened(t *testing.T) {
	t.Parallel()
	h := Home(t.TempDir())
	s, err := store.Open(h.stateFile())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Update(func(tx *store.Tx) error {
		for _, key := range []string{"eu-west-1", "eu-wesu-2"} {
			if err := knownRegions.Put(tx, key, known{key}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"eu-west-1/larder.db", "eu-west-2/larder.db", "eu-west-3/nodes/a-001/node.log"} {
		path := filepath.Join(string(h), regionsName, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(h.In("eu-central-1").nodes(), 0o700); err != nil { // a start that came no further
		t.Fatal(err)
	}
	rs, said, opened := opening(nil)
	if err := rs.openUsed(s, h); err != nil {
		t.Fatal(err)
	}
	slices.Sort(*opened)
	if want := []string{"eu-west-1", "eu-west-2", "eu-west-3"}; !slices.Equal(*opened, want) {
		t.Errorf("opened %v, want %v", *opened, want)
	}
	if strings.Count(said.String(), "region=eu-west-") != 2 || strings.Contains(said.String(), "region=eu-west-1") {
		t.Errorf("it is said: %s", said)
	}
}

// TestARegionThatCannotBeOpenedSaysWhy: to the caller and in the log.
func TestARegionThatCannotBeOpenedSaysWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failure error
		says    []string
	}{
		"damaged": {&store.DamageError{Path: "/s/larder.db", What: "zeroes"},
			[]string{"cannot open the region eu-west-1", "/s/larder.db is damaged", "next: put back"}},
		"disk full": {fmt.Errorf("mkdir /s/nodes: %w", unix.ENOSPC), []string{"/s/nodes", "free some space"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rs, said, _ := opening(c.failure)
			_, err := rs.Services(t.Context(), "eu-west-1")
			api, is := err.(smithy.APIError)
			if !is || api.ErrorCode() != "InternalFailure" || api.ErrorFault() != smithy.FaultServer {
				t.Fatalf("the caller gets %#v", err)
			}
			for _, text := range c.says {
				if !strings.Contains(api.ErrorMessage(), text) {
					t.Errorf("the caller does not read %q in %q", text, api.ErrorMessage())
				}
			}
			if !strings.Contains(said.String(), "region=eu-west-1") || !strings.Contains(said.String(), c.says[0]) {
				t.Errorf("the log has %s", said)
			}
		})
	}
}

// TestAKnownRegionIsRecordedOnce: opening one again writes nothing, so that it can be read on a full disk.
func TestAKnownRegionIsRecordedOnce(t *testing.T) {
	t.Parallel()
	s, err := store.Open(Home(t.TempDir()).stateFile())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	full := func() error { return unix.ENOSPC }
	s.Refuse(full)
	if err := recordRegion(s, "eu-west-1"); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("a new one on a full disk: %v", err)
	}
	s.Refuse(nil)
	if err := recordRegion(s, "eu-west-1"); err != nil {
		t.Error(err)
	}
	s.Refuse(full)
	if err := recordRegion(s, "eu-west-1"); err != nil {
		t.Errorf("a known one on a full disk: %v", err)
	}
}
