package main

import "strings"

// A rule names a word of larder's former private language and the standard term that replaces it.
type rule struct {
	words   string // forms in lower case, separated by spaces
	instead string
	// in lists the directories where the word has the meaning that was replaced; empty means everywhere. Such a word is
	// ordinary English elsewhere, so that the rule reads only the names declared there.
	in string
}

// everywhere holds words that have no other use in larder. They are kept out of names, comments, string literals and
// documents.
var everywhere = []rule{
	{"vigil vigils", "detector (liveness detector)", ""},
	{"glance glances", "quick check", ""},
	{"stirred", "last activity", ""},
	{"doubtful", "suspect", ""},
	{"excuse", "reset", ""},
	{"pulse pulses", "scheduler sample", ""},
	{"roster", "registry, members", ""},
	{"heir heirs", "candidate", ""},
	{"elect elected electing", "fail over, failover", ""},
	{"handover handovers", "switchover", ""},
	{"doomed", "shouldFence", ""},
	{"dismiss", "remove", ""},
	{"relieved", "scriptKilledAt", ""},
	{"overdue", "timed out", ""},
	{"swept", "cleaned", ""},
	{"hasten", "resumeReplication", ""},
	{"reseed reseeds", "resync the primary", ""},
	{"contested", "divergent", ""},
	{"renewal renewals", "replacement (reason)", ""},
	{"courier couriers", "delivery worker", ""},
	{"parcel parcels", "queued message", ""},
	{"crowd", "eviction cutoff", ""},
	{"insist", "UpdateReserved", ""},
	{"tend tends", "WatchAndRetry, maintain", ""},
	{"desk desks", "harness", ""},
	{"spared", "unaffected", ""},
}

// inNames holds words that are ordinary English: only names in the directories listed may not use them.
var inNames = []rule{
	{"look looks", "check, reconcile", "internal/engine internal/plan internal/monitor internal/app"},
	{"examine", "full check", "internal/engine"},
	{"doubt", "markDegraded", "internal/engine"},
	{"trail", "offset history", "internal/engine"},
	{"moment moments", "sample", "internal/engine"},
	{"leaving", "removing", "internal/cache internal/engine internal/plan internal/services/elasticache"},
	{"spent", "cpuAtKill", "internal/engine"},
	{"relax", "setMinReplicas", "internal/engine internal/plan"},
	{"trouble", "lastError", "internal/engine internal/app internal/cli"},
	{"welcome", "recordCreated", "internal/engine"},
	{"tell", "publishReport", "internal/engine"},
	{"transfer", "snapshot job", "internal/engine internal/plan"},
	{"taken", "result", "internal/engine"},
	{"fallback", "restore source", "internal/engine internal/plan"},
	{"bell", "wake channel", "internal/services/sns"},
	{"carry", "run", "internal/services/sns internal/monitor"},
	{"standin", "defaultdeps", "internal"},
	{"around", "companion modules", "internal/cli internal/deploy internal/module"},
	{"book", "store", "internal/alarm"},
	{"place places", "AAD, path, location, slot, position", "internal bench test"},
	{"world", "model, fixture", "internal bench test"},
	{"together", "alignTick, runConcurrently", "internal bench"},
}

// replacements maps each form of a word to the rules that it breaks.
type replacements map[string][]rule

func index(rules []rule) replacements {
	byWord := replacements{}
	for _, r := range rules {
		for w := range strings.FieldsSeq(r.words) {
			byWord[w] = append(byWord[w], r)
		}
	}
	return byWord
}

// instead returns what to write for word in the file at path, and whether a rule forbids it there.
func (m replacements) instead(word, path string) (string, bool) {
	for _, r := range m[strings.ToLower(word)] {
		if r.in == "" {
			return r.instead, true
		}
		for dir := range strings.FieldsSeq(r.in) {
			if strings.HasPrefix(path, dir+"/") {
				return r.instead, true
			}
		}
	}
	return "", false
}
