package chaos

import (
	"fmt"
	"math"
	"time"

	"github.com/anishathalye/porcupine"
)

// action is what a client asks of a register.
type action struct {
	key   int
	verb  string // GET, SET or INCR
	value int64  // of SET
}

// outcome is the answer: a value, or that none came.
type outcome struct {
	value   int64
	unknown bool
}

// never is the end of an operation whose answer did not come: it may have been done at any time after it was asked for.
const never = math.MaxInt64

// registers says what GET, SET and INCR do to keys that hold numbers, beginning with none, which counts as 0.
var registers = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[int][]porcupine.Operation{}
		for _, o := range history {
			k := o.Input.(action).key
			byKey[k] = append(byKey[k], o)
		}
		var parts [][]porcupine.Operation
		for _, p := range byKey {
			parts = append(parts, p)
		}
		return parts
	},
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		now, in, out := state.(int64), input.(action), output.(outcome)
		switch in.verb {
		case "SET":
			return true, in.value
		case "INCR":
			return out.unknown || out.value == now+1, now + 1
		}
		return out.unknown || out.value == now, now
	},
}

// Linearizable is an error when the history could not have come from one server, or when that was not found out in
// time.
func Linearizable(history []porcupine.Operation, patience time.Duration) error {
	switch r := porcupine.CheckOperationsTimeout(registers, history, patience); r {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return fmt.Errorf("cannot tell within %s whether %d operations are linearizable", patience, len(history))
	}
	return fmt.Errorf("the history of %d operations is not linearizable", len(history))
}
