package awswire

import "fmt"

// UnknownParameterError is a key that the operation's input does not have.
type UnknownParameterError struct {
	// Name is the key with its path, as the client wrote it.
	Name string
}

func (e *UnknownParameterError) Error() string {
	return fmt.Sprintf("the parameter %s is not known to this operation", e.Name)
}

// ValueError is a value that does not fit the parameter it was given for.
type ValueError struct {
	// Name is the parameter with its path.
	Name string
	// Value is what was given, shortened.
	Value string
	// Want says what would have fitted: "an integer".
	Want string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("the value %q of parameter %s is not %s", e.Value, e.Name, e.Want)
}

// SyntaxError is a request whose form, not its content, cannot be read.
type SyntaxError struct {
	Reason string
}

func (e *SyntaxError) Error() string { return e.Reason }

// maxEchoed bounds how much of a client's value an error repeats, in bytes.
const maxEchoed = 64

func badValue(name, value, want string) error {
	return &ValueError{Name: name, Value: shortened(value), Want: want}
}

func shortened(s string) string {
	if len(s) > maxEchoed {
		return s[:maxEchoed] + "…"
	}
	return s
}
