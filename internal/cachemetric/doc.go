// Package cachemetric derives what ElastiCache publishes about a Redis node (metrics.csv) from two readings of it. It
// is pure: reading the node and keeping what comes of it are others' work.
package cachemetric
