// Package exporter serves what nodes and larder count to Prometheus, in its text format: nodes under the names that
// redis_exporter made common, so that the dashboards made for it work, larder under names of its own.
package exporter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"larder/internal/cache"
	"larder/internal/catalog"
	"larder/internal/isolate"
	"larder/internal/nodestats"
	"larder/internal/plan"
	"larder/internal/state"
	"larder/internal/store"
)

//go:generate go run ./docgen

// Path is where the metrics are.
const Path = "/metrics"

// Config is what an exporter works with. Every field is needed.
type Config struct {
	Sources   func() []Source // the regions that there are
	NodeTypes catalog.NodeTypes
	Version   string
	Logger    *slog.Logger
	Now       func() time.Time
}

// Source is a region whose metrics are served. Every field is needed.
type Source struct {
	Region   string
	Store    *store.Store
	Nodes    func() []nodestats.Node          // those that run
	Observed func(group string) plan.Observed // at the engine's last look
	Alarms   func() ([]Alarm, error)          // those that can be read; the error is of the others
}

// Alarm is an alarm and the state it is in, in CloudWatch's words.
type Alarm struct{ Name, State string }

// Exporter answers scrapes.
type Exporter struct {
	Config
	info    []infoField
	process process
	begin   time.Time
	events  map[string]*events // by region
	// turn is taken by a scrape: nodes are asked by one at a time, however many ask for it.
	turn  chan struct{}
	guard isolate.Guard
}

// New makes an exporter. It counts events from now on.
func New(c Config) (*Exporter, error) {
	info, err := loadInfo()
	if err != nil {
		return nil, err
	}
	return &Exporter{Config: c, info: info, process: newProcess(), begin: c.Now(), events: map[string]*events{},
		turn: make(chan struct{}, 1)}, nil
}

// Unsigned returns who serves a request for the metrics, and nil for any other request. Prometheus signs nothing.
func (e *Exporter) Unsigned(r *http.Request) http.Handler {
	switch {
	case r.URL.Path != Path || r.Method != http.MethodGet && r.Method != http.MethodHead:
		return nil
	case !local(r.Host):
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "larder serves its metrics to this machine only", http.StatusForbidden)
		})
	}
	return http.HandlerFunc(e.serve)
}

// local tells whether a request was sent to an address of this machine by its number, or to localhost. A page from
// elsewhere that has a name of its own lead here names that.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && address.IsLoopback()
}

func (e *Exporter) serve(w http.ResponseWriter, r *http.Request) {
	text, err := e.Scrape(r.Context())
	if err != nil {
		e.Logger.ErrorContext(r.Context(), "cannot answer a scrape", "error", err)
		http.Error(w, "the metrics cannot be read: see the engine's log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if _, err := w.Write(text); err != nil {
		e.Logger.DebugContext(r.Context(), "scrape not delivered", "error", err)
	}
}

// Scrape asks every node once, and returns all metrics. A region that fails is logged, and left out but for
// regionError; it is an error when all do.
func (e *Exporter) Scrape(ctx context.Context) ([]byte, error) {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p := newPage()
	p.add(buildInfo, pairs("version", e.Version), 1)
	if err := e.sources(ctx, p); err != nil {
		return nil, err
	}
	if err := e.process.report(p); err != nil {
		return nil, err
	}
	return p.text(), nil
}

// sources puts every region on the page that can be read.
func (e *Exporter) sources(ctx context.Context, p *page) error {
	all := e.Sources()
	var failed []error
	for _, from := range all {
		of := pairs("region", from.Region)
		own := newPage()
		err := e.source(ctx, own.within(of), from)
		p.flag(regionError, of, err != nil)
		if err != nil {
			failed = append(failed, fmt.Errorf("the region %s: %w", from.Region, err))
			continue
		}
		p.take(own)
	}
	if len(failed) == len(all) {
		return errors.Join(failed...)
	}
	for _, err := range failed {
		e.Logger.ErrorContext(ctx, "a scrape lacks a region", "error", err)
	}
	return nil
}

// source puts a region on the page.
func (e *Exporter) source(ctx context.Context, p *page, from Source) error {
	counted := e.events[from.Region]
	if counted == nil {
		counted = newEvents(e.begin)
		e.events[from.Region] = counted
	}
	var groups []cache.Topology
	err := from.Store.View(func(tx *store.Tx) (err error) {
		if groups, err = state.Groups(tx); err != nil {
			return err
		}
		return counted.count(tx, e.Now())
	})
	if err != nil {
		return err
	}
	readings := nodestats.Read(ctx, &e.guard, from.Nodes(), e.Now)
	for _, r := range readings {
		if fault, is := errors.AsType[*isolate.PanicError](r.Err); is && len(fault.Stack) > 0 {
			e.Logger.ErrorContext(ctx, "a scrape lacks a node", "error", fault)
		}
	}
	for _, rg := range groups {
		err := e.guard.Do("the group "+rg.ID, func() error {
			e.group(p, rg, from.Observed(rg.ID), readings)
			return nil
		})
		if err != nil {
			e.Logger.ErrorContext(ctx, "a scrape lacks some of a group", "group", rg.ID, "error", err)
		}
	}
	counted.report(p, groups)
	return e.alarms(ctx, p, from)
}
