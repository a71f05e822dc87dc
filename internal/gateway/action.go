package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
)

// Access is an action's access level, as IAM classifies actions.
type Access string

// IAM's access levels.
const (
	List        Access = "List"
	Read        Access = "Read"
	Write       Access = "Write"
	Tagging     Access = "Tagging"
	Permissions Access = "Permissions management"
)

// Action is one operation of a service that larder serves.
type Action struct {
	Name     string
	Access   Access
	Refusals []Refusal

	input    reflect.Type
	recorded bool // see audit
	// call makes an input, has prepare fill and check it, and runs the handler in the context that prepare returns.
	call func(ctx context.Context, prepare prepare) (output any, err error)
}

// prepare fills and checks an input, and returns the context of its handler.
type prepare func(ctx context.Context, input any) (context.Context, error)

// Changes tells whether an action of that level changes something.
func (a Access) Changes() bool { return a == Write || a == Tagging || a == Permissions }

// Handle makes an action of a handler: I and O are the SDK's input and output
// structures. Refusals name what of the input the handler does not serve.
func Handle[I, O any](name string, access Access, f func(context.Context, *I) (*O, error), refusals ...Refusal) Action {
	return Action{
		Name:     name,
		Access:   access,
		Refusals: refusals,
		input:    reflect.TypeFor[I](),
		call: func(ctx context.Context, prepare prepare) (any, error) {
			in := new(I)
			ctx, err := prepare(ctx, in)
			if err != nil {
				return nil, err
			}
			out, err := f(ctx, in)
			if err != nil {
				return nil, err
			}
			if out == nil {
				return nil, errors.New("the handler returned neither an output nor an error")
			}
			return out, nil
		},
	}
}

// Input is the type of the action's input structure.
func (a Action) Input() reflect.Type { return a.input }

// Guarded has check look at every input, once it is filled and valid, before the handler gets it.
func (a Action) Guarded(check func(ctx context.Context, action string, input any) error) Action {
	call := a.call
	a.call = func(ctx context.Context, prepare prepare) (any, error) {
		return call(ctx, func(ctx context.Context, input any) (context.Context, error) {
			ctx, err := prepare(ctx, input)
			if err != nil {
				return ctx, err
			}
			return ctx, check(ctx, a.Name, input)
		})
	}
	return a
}

// Text returns the first of the members of an input that it has and that is set; nil when there is none.
func Text(input any, members ...string) *string {
	for _, name := range members {
		member := reflect.ValueOf(input).Elem().FieldByName(name)
		if !member.IsValid() {
			continue
		}
		if text, ok := member.Interface().(*string); ok && text != nil {
			return text
		}
	}
	return nil
}

// check finds mistakes in the action's own declaration.
func (a *Action) check() error {
	if a.call == nil {
		return fmt.Errorf("action %q was not made by Handle", a.Name)
	}
	for _, r := range a.Refusals {
		if err := r.check(a.input); err != nil {
			return fmt.Errorf("action %s: %w", a.Name, err)
		}
	}
	return nil
}

// refuse is the error for the first refused member that input sets.
func (a *Action) refuse(input any) error {
	for _, r := range a.Refusals {
		for v := range r.values(reflect.ValueOf(input).Elem()) {
			if !r.accepts(v) {
				return clientError("InvalidParameterValue", "%s", r.message(a.Name))
			}
		}
	}
	return nil
}
