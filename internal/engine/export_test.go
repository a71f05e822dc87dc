package engine

// HoldWrites is the first half of a switchover.
var HoldWrites = holdWrites
