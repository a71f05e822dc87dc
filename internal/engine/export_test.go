package engine

// HoldWrites is the first half of a handover.
var HoldWrites = holdWrites
