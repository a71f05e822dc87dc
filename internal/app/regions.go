package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/smithy-go"

	"larder/internal/awsregion"
	"larder/internal/exporter"
	"larder/internal/gateway"
	"larder/internal/loopback"
	"larder/internal/store"
)

// regionsName is the directory of what other regions than the installation's first one keep.
const regionsName = "regions"

// In is the directory of what a region keeps.
func (h Home) In(region string) Home {
	if region == awsregion.Home {
		return h
	}
	return Home(h.path(filepath.Join(regionsName, region)))
}

// used are the directories of the regions that have one, the first region's first.
func (h Home) used() []Home {
	all := []Home{h}
	for _, name := range awsregion.All() {
		if dir := h.In(name); dir != h && isDir(string(dir)) {
			all = append(all, dir)
		}
	}
	return all
}

// left are the other regions that have something in their directories.
func (h Home) left() (names []string) {
	for _, dir := range h.used()[1:] {
		_, err := os.Lstat(dir.stateFile())
		if err == nil || len(dir.remains()) > 0 {
			names = append(names, filepath.Base(string(dir)))
		}
	}
	return names
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// known is the record, in the first region's store, that a region has been used.
type known struct{ Name string }

const knownRegions = store.Table[known]("regions")

// RowKey is the region's key in its table.
func (k known) RowKey() string { return k.Name }

// addresses is what a region but the first keeps of itself, in its own store.
type addresses struct{ Block netip.Prefix }

const regionAddresses = store.Table[addresses]("region-addresses")

// regions are those of an engine. Each is opened when it is first asked for, and costs nothing before.
type regions struct {
	first *region
	open  func(name string) (*region, error)
	begin func(*region) // has a region do its work
	log   *slog.Logger

	opening sync.Mutex // one is opened at a time

	mu     sync.Mutex
	others map[string]*region
	begun  bool
	ended  bool
}

// regionError says why a region cannot be opened. It is an API error, so that whoever asks for something in the region
// learns the reason.
type regionError struct {
	name string
	err  error
}

// Error says what failed, and what to do where the reason does not say it.
func (e *regionError) Error() string {
	text := fmt.Sprintf("cannot open the region %s: %v", e.name, e.err)
	if noRoom(e.err) {
		text += ": the disk that holds larder's state directory is full: free some space and try again"
	}
	return text
}

// Unwrap returns the reason.
func (e *regionError) Unwrap() error { return e.err }

// ErrorCode is the API's code of a failure that is not the caller's.
func (e *regionError) ErrorCode() string { return "InternalFailure" }

// ErrorMessage is what the caller reads.
func (e *regionError) ErrorMessage() string { return e.Error() }

// ErrorFault says that it is not the caller's fault.
func (e *regionError) ErrorFault() smithy.ErrorFault { return smithy.FaultServer }

// get returns a region, which it opens when nobody has before. Whoever asks for another region does not wait meanwhile.
func (rs *regions) get(name string) (*region, error) {
	if r := rs.known(name); r != nil {
		return r, nil
	}
	rs.opening.Lock()
	defer rs.opening.Unlock()
	if r := rs.known(name); r != nil {
		return r, nil
	}
	r, err := rs.open(name)
	if err != nil {
		err = &regionError{name, err}
		rs.log.Error("a region cannot be opened", "region", name, "error", err)
		return nil, err
	}
	if !rs.add(r) {
		return nil, errors.Join(errors.New("the engine is about to end"), r.close())
	}
	return r, nil
}

// known returns a region that is open; nil: it is not.
func (rs *regions) known(name string) *region {
	if name == rs.first.name {
		return rs.first
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.others[name]
}

// add takes a region in, and has it do its work if the others do. It does not when the engine is about to end.
func (rs *regions) add(r *region) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.ended {
		return false
	}
	rs.others[r.name] = r
	if rs.begun {
		rs.begin(r)
	}
	return true
}

// Known implements gateway.Others.
func (rs *regions) Known(name string) bool { return awsregion.Known(name) }

// Services implements gateway.Others. It opens a region that nobody has used before.
func (rs *regions) Services(_ context.Context, name string) (*gateway.Services, error) {
	r, err := rs.get(name)
	if err != nil {
		return nil, err
	}
	return r.served, nil
}

// start has every region that is open, and each that is opened later, do its work.
func (rs *regions) start() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.begun = true
	rs.begin(rs.first)
	for _, r := range rs.others {
		rs.begin(r)
	}
}

// end has no other region be opened.
func (rs *regions) end() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.ended = true
}

// all are the regions that are open: the first, and the others by name.
func (rs *regions) all() []*region {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	all := []*region{rs.first}
	for _, name := range slices.Sorted(maps.Keys(rs.others)) {
		all = append(all, rs.others[name])
	}
	return all
}

// names are those of the regions that are open.
func (rs *regions) names() (names []string) {
	for _, r := range rs.all() {
		names = append(names, r.name)
	}
	return names
}

// scraped is what a scrape shows of each region.
func (rs *regions) scraped() (all []exporter.Source) {
	for _, r := range rs.all() {
		all = append(all, r.scraped)
	}
	return all
}

// openUsed opens the other regions that have been used: their nodes may run. Those are the recorded ones, and those
// that have left something in the state directory: a record whose key is damaged, which is told of, names none.
func (rs *regions) openUsed(first *store.Store, h Home) error {
	var names []string
	err := first.View(func(tx *store.Tx) (err error) {
		names, err = knownRegions.Keys(tx)
		return err
	})
	for _, name := range h.left() {
		if !slices.Contains(names, name) {
			rs.log.Warn("there is no record that a region was used, and it has files: it is opened, and recorded anew",
				"region", name, "directory", string(h.In(name)))
			names = append(names, name)
		}
	}
	for _, name := range names {
		if !rs.Known(name) {
			continue
		}
		if _, err := rs.get(name); err != nil {
			return err
		}
	}
	return err
}

// unsignedTopics returns who serves a request to a topic without a signature, and nil for any other request. The ARN in
// a link names the region. Without an ARN every region is asked. When nobody has used the region, the first one answers
// that there is no such topic.
func (rs *regions) unsignedTopics(r *http.Request) http.Handler {
	query := r.URL.Query()
	named, err := arn.Parse(cmp.Or(query.Get("TopicArn"), query.Get("SubscriptionArn")))
	found := false
	for _, open := range slices.Backward(rs.all()) {
		if err != nil || named.Region == open.name {
			found = true
			if h := open.topics.Unsigned(r); h != nil {
				return h
			}
		}
	}
	if found {
		return nil
	}
	return rs.first.topics.Unsigned(r)
}

// drainLogs delivers what is left of the nodes' logs.
func (rs *regions) drainLogs(ctx context.Context) {
	for _, r := range rs.all() {
		r.shipper.DrainAll(ctx)
	}
}

// endNodes ends the nodes of every region, and tells how many processes that were.
func (rs *regions) endNodes(ctx context.Context) (ended int, err error) {
	for _, r := range rs.all() {
		n, errEnd := r.nodes.End(ctx)
		ended, err = ended+n, errors.Join(err, errEnd)
	}
	return ended, err
}

// close lets go of every region.
func (rs *regions) close() error {
	rs.end()
	var errs []error
	for _, r := range slices.Backward(rs.all()) {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}

// openFirst opens the region that an installation always has, whose store holds the installation's identity, and stays
// the caller's.
func (in *installation) openFirst(ctx context.Context, state *store.Store, self identity) (*region, error) {
	block, err := claim(self.Block, func(block netip.Prefix) error {
		self.Block = block
		return state.Update(func(tx *store.Tx) error { return identities.Put(tx, "self", self) })
	})
	if err != nil {
		return nil, err
	}
	r, err := in.open(ctx, awsregion.Home, in.Home, state, block)
	if err != nil {
		return nil, errors.Join(err, block.Close())
	}
	r.closers = slices.Insert(r.closers, 0, block.Close)
	return r, nil
}

// openOther opens another region. What is recorded in the first one's store is not made anew when it is gone.
func (in *installation) openOther(ctx context.Context, first *store.Store, name string) (*region, error) {
	home := in.Home.In(name)
	if err := in.prepareRegion(first, name, home); err != nil {
		return nil, err
	}
	state, err := home.openState()
	if err != nil {
		return nil, err
	}
	in.tellUnreadable(state)
	block, err := claimRegion(state)
	if err != nil {
		return nil, errors.Join(err, state.Close())
	}
	err = recordRegion(first, name)
	var r *region
	if err == nil {
		r, err = in.open(ctx, name, home, state, block)
	}
	if err != nil {
		return nil, errors.Join(err, block.Close(), state.Close())
	}
	r.closers = slices.Insert(r.closers, 0, state.Close, block.Close)
	return r, nil
}

// recordRegion records that a region is in use. One of which that is recorded opens on a full disk too.
func recordRegion(first *store.Store, name string) error {
	return first.Update(func(tx *store.Tx) error {
		_, err := knownRegions.Get(tx, name)
		if errors.Is(err, store.ErrNotFound) || store.IsUnreadable(err) {
			return knownRegions.Put(tx, name, known{name})
		}
		return err
	})
}

// prepareRegion makes a region's directory, or says why there must be one already.
func (in *installation) prepareRegion(first *store.Store, name string, home Home) error {
	recorded := false
	err := first.View(func(tx *store.Tx) (err error) {
		recorded, err = knownRegions.Has(tx, name)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := os.Stat(home.stateFile()); recorded && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the region %s was in use, and its larder.db is gone: larder begins no new one in "+
			"its place\n"+
			"next: put %s back, or give the installation up: `larder down` ends its nodes, then move %s aside", name,
			home.stateFile(), in.Home)
	}
	if err := errors.Join(home.makeWay(in.Now(), in.Logger), home.refuseNew()); err != nil {
		return err
	}
	if err := os.MkdirAll(home.nodes(), 0o700); err != nil {
		return fmt.Errorf("cannot make the directory of the region %s: %w", name, err)
	}
	return home.clean()
}

// claim claims a block of addresses, and has a new one kept.
func claim(had netip.Prefix, keep func(netip.Prefix) error) (*loopback.Block, error) {
	block, err := loopback.Claim(had, rand.IntN)
	if err != nil || block.Prefix == had {
		return block, err
	}
	if err := keep(block.Prefix); err != nil {
		return nil, errors.Join(err, block.Close())
	}
	return block, nil
}

// claimRegion claims the block of a region, which its own store keeps.
func claimRegion(state *store.Store) (*loopback.Block, error) {
	const key = "self"
	var had addresses
	err := state.View(func(tx *store.Tx) (err error) {
		had, err = regionAddresses.Get(tx, key)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return claim(had.Block, func(block netip.Prefix) error {
		return state.Update(func(tx *store.Tx) error { return regionAddresses.Put(tx, key, addresses{block}) })
	})
}
