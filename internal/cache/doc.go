// Package cache is larder's domain: what a replication group, its shards and its members are, and which states they
// pass through. It does no I/O, reads no clock and starts no goroutine.
package cache
