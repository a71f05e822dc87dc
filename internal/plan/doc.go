// Package plan decides what to do next: from what was asked for and what is seen, the steps for one shard. It does no
// I/O, reads no clock and starts no goroutine.
package plan
