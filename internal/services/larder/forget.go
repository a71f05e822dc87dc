package larder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"larder/internal/audit"
	"larder/internal/cache"
	"larder/internal/durable"
	"larder/internal/state"
	"larder/internal/store"
)

// DamagedRecord is a record that cannot be read, and the way to be rid of it.
type DamagedRecord struct {
	Table string
	Key   []byte // which need not be text
	Error string // what is wrong with it
	// Kept says why ForgetRecord refuses it, and the way out; empty where ForgetRecord deletes it.
	Kept string
}

// ForgetRecordInput asks to delete one record that cannot be read.
type ForgetRecordInput struct {
	Table string
	Key   []byte
}

// ForgetRecordOutput tells where the record is now, and what was wrong with it.
type ForgetRecordOutput struct {
	Copy, Error string
	Along       []string // the ids of what was removed with it
}

// damaged lists the records that cannot be read.
func (s *Service) damaged(ctx context.Context) (all []DamagedRecord, err error) {
	rows, err := s.Store.Unreadable()
	for _, row := range rows {
		kept, errKept := s.kept(ctx, row.Table, row.Key)
		err = errors.Join(err, errKept)
		all = append(all, DamagedRecord{row.Table, []byte(row.Key), row.Err.Error(), kept})
	}
	return all, err
}

// forgetRecord deletes a record that cannot be read. A copy of it is on the disk before.
func (s *Service) forgetRecord(ctx context.Context, in *ForgetRecordInput) (*ForgetRecordOutput, error) {
	table, key := in.Table, string(in.Key)
	kept, err := s.kept(ctx, table, key)
	if err != nil {
		return nil, err
	}
	out := &ForgetRecordOutput{}
	keep := func(record []byte) (err error) {
		if kept != "" {
			return refusal(fmt.Sprintf("the record %s %q cannot be read, and is not forgotten: %s", table, key, kept))
		}
		out.Copy, err = s.copyOf(table, key, record)
		return err
	}
	var damage *store.RowError
	err = audit.Keep(ctx, func(tx *store.Tx) (err error) {
		out.Along, err = s.TakeAlong(tx, table)
		return err
	}, func(also func(*store.Tx) error) (err error) {
		damage, err = s.Store.Forget(s.Tables, table, key, keep, also)
		return err
	})
	switch {
	case errors.Is(err, store.ErrReadable):
		return nil, refusal(fmt.Sprintf("the record %s %q can be read: delete what it is of by its own command", table,
			key))
	case errors.Is(err, store.ErrNotFound):
		return nil, notFound("record", table+" "+key)
	case err != nil:
		return nil, err
	}
	out.Error = damage.Err.Error()
	s.Logger.WarnContext(ctx, "a record that could not be read was forgotten", "table", table, "key", key,
		"error", damage.Err, "copy", out.Copy, "removed", out.Along)
	return out, nil
}

// copyOf keeps a record in a file, and returns its path.
func (s *Service) copyOf(table, key string, record []byte) (path string, err error) {
	const longest = 100 // bytes of a key: a file's name has 255 at most
	name := url.PathEscape(key)
	name = name[:min(len(name), longest)]
	name = fmt.Sprintf("%s-%s-%s", table, name, s.Now().UTC().Format("20060102T150405.000000000Z"))
	if err := os.Mkdir(s.Forgotten, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("cannot keep a copy of the record, which stays: %w", err)
	}
	path = filepath.Join(s.Forgotten, name)
	err = errors.Join(durable.WriteFile(path, record), durable.SyncDir(s.Forgotten),
		durable.SyncDir(filepath.Dir(s.Forgotten)))
	if err != nil {
		return "", fmt.Errorf("cannot keep a copy of the record, which stays: %w", err)
	}
	return path, nil
}

// kept says why a record must not be forgotten, and the way out; empty where it may be.
func (s *Service) kept(ctx context.Context, table, key string) (string, error) {
	if why := s.Irreplaceable(table, key); why != "" {
		return why, nil
	}
	group := key
	switch table {
	case string(state.ReplicationGroups), string(state.Credentials):
	case string(state.Shards):
		group, _, _ = strings.Cut(key, "/")
	default:
		return "", nil
	}
	running, err := s.dependents(ctx, group)
	if err != nil || len(running) == 0 {
		return "", err
	}
	return "of the running processes these are the group's, or may be: " + strings.Join(running, ", ") + ". " +
		"They would run on without a record. Copy the data that you need, end all nodes with `larder down`, " +
		"start larder " +
		"with `larder serve`, and forget the record then", nil
}

// dependents are the running processes that are not known to be another group's than that of key.
func (s *Service) dependents(ctx context.Context, key string) ([]string, error) {
	pids, err := s.PIDs(ctx)
	if err != nil || len(pids) == 0 {
		return nil, err
	}
	var groups []cache.Topology
	err = s.Store.View(func(tx *store.Tx) (err error) {
		groups, err = state.Groups(tx)
		return err
	})
	for _, rg := range groups {
		if rg.ID == key {
			continue
		}
		delete(pids, rg.ID+cache.RelaySuffix)
		for _, m := range rg.Members() {
			delete(pids, m.ID)
		}
	}
	return slices.Sorted(maps.Keys(pids)), err
}

func refusal(message string) error {
	return &smithy.GenericAPIError{Code: "InvalidRequestException", Message: message}
}
