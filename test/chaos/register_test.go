package chaos

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// done is an operation on key 0 from one time to another.
func done(client int, verb string, set, got, from, till int64) porcupine.Operation {
	return porcupine.Operation{ClientId: client, Input: action{verb: verb, value: set}, Output: outcome{value: got},
		Call: from, Return: till}
}

func lost(o porcupine.Operation) porcupine.Operation {
	o.Output, o.Return = outcome{unknown: true}, never
	return o
}

func TestLinearizable(t *testing.T) {
	other := done(2, "GET", 0, 0, 0, 100)
	other.Input = action{key: 1, verb: "GET"}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		ok      bool
	}{
		"in order": {[]porcupine.Operation{done(0, "SET", 7, 0, 0, 1),
			done(0, "INCR", 0, 8, 2, 3), done(1, "GET", 0, 8, 4, 5)}, true},
		"a key begins with none": {[]porcupine.Operation{done(0, "GET", 0, 0, 0, 1),
			done(0, "INCR", 0, 1, 2, 3)}, true},
		"keys are apart": {[]porcupine.Operation{done(0, "SET", 7, 0, 0, 1), other}, true},
		"stale read": {[]porcupine.Operation{done(0, "SET", 7, 0, 0, 1), done(0, "SET", 9, 0, 2, 3),
			done(1, "GET", 0, 7, 4, 5)}, false},
		"read while it is being written": {[]porcupine.Operation{done(0, "SET", 7, 0, 0, 1), done(0, "SET", 9, 0, 2, 6),
			done(1, "GET", 0, 7, 4, 5)}, true},
		"an acknowledged write is lost": {[]porcupine.Operation{done(0, "INCR", 0, 1, 0, 1),
			done(1, "INCR", 0, 1, 2, 3)}, false},
		"an unknown write was done": {[]porcupine.Operation{lost(done(0, "SET", 7, 0, 0, 1)),
			done(1, "GET", 0, 7, 4, 5)}, true},
		"an unknown write was not done": {[]porcupine.Operation{lost(done(0, "SET", 7, 0, 0, 1)),
			done(1, "GET", 0, 0, 4, 5)}, true},
		"it cannot be both": {[]porcupine.Operation{lost(done(0, "SET", 7, 0, 0, 1)),
			done(1, "GET", 0, 7, 4, 5), done(1, "GET", 0, 0, 6, 7)}, false},
	} {
		if err := Linearizable(c.history, time.Second); (err == nil) != c.ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
