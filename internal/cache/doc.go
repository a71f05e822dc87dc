// Package cache is larder's domain: what a replication group is, which states it passes through, and which steps lead
// from what is to what is asked for. It does no I/O, reads no clock and starts no goroutine.
package cache
