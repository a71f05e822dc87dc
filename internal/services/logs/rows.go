package logs

import "larder/internal/store"

// Tables are those of this package.
func Tables() []store.Checker { return []store.Checker{groups, streams, metricFilters, policies} }

// RowKey is the group's key in its table.
func (g group) RowKey() string { return g.Name }

// RowKey is the stream's key in its table.
func (st stream) RowKey() string { return st.key() }

// RowKey is the filter's key in its table.
func (f metricFilter) RowKey() string { return f.key() }

// RowKey is the policy's key in its table.
func (p policy) RowKey() string { return p.Name }
