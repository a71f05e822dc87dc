// Package event has the entries of the event list, and which of them topics are told of.
package event
