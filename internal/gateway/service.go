package gateway

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"

	"larder/internal/audit"
	"larder/internal/awswire"
	"larder/internal/constraint"
)

// Service is one AWS service: its wire facts, and the actions larder serves.
type Service struct {
	Shapes  *awswire.Shapes
	Actions []Action
	// ErrorMessage is how the service's errors in awsJson spell the member of their text: "Message" or, when it is
	// empty, "message".
	ErrorMessage string
	// Front refuses what the service's model does not allow, before any action is called; nil where the service has
	// none.
	Front *constraint.Front
	// Audit keeps a row of each action that changes something, but for those of audit.Unrecorded; nil keeps none.
	Audit Auditor
	// DeniedCode is the error code of what a caller may not do, in awsQuery; empty for AccessDenied.
	DeniedCode string
	// MaxBody is the largest request body in bytes; 0 means the gateway's.
	MaxBody int64
}

// Auditor keeps rows of actions.
type Auditor interface {
	// Begin returns a context in which the handler's transaction keeps the row of an action.
	Begin(context.Context, audit.Event) context.Context
	// Finish keeps the row of an action that went well, if its transaction has not.
	Finish(context.Context) error
}

// service is a Service made ready.
type service struct {
	shapes  *awswire.Shapes
	codec   *awswire.Codec
	actions map[string]*Action
	maxBody int64
	message string // how errors in awsJson spell the member of their text
	front   *constraint.Front
	audit   Auditor
	denied  string // the error code of what a caller may not do
}

func newService(s Service) (*service, error) {
	ready := &service{shapes: s.Shapes, codec: awswire.NewCodec(s.Shapes), actions: map[string]*Action{},
		maxBody: s.MaxBody, message: s.ErrorMessage, front: s.Front, audit: s.Audit, denied: cmp.Or(s.DeniedCode,
			"AccessDenied")}
	var inputs []reflect.Type
	for _, a := range s.Actions {
		if !slices.Contains(s.Shapes.Operations, a.Name) {
			return nil, fmt.Errorf("%s has no operation %s", s.Shapes.ServiceID, a.Name)
		}
		if !s.Shapes.Covers(a.Name) {
			return nil, fmt.Errorf("%s's wire table does not cover %s: add it to shapegen's list", s.Shapes.ServiceID,
				a.Name)
		}
		if ready.actions[a.Name] != nil {
			return nil, fmt.Errorf("%s's %s is declared twice", s.Shapes.ServiceID, a.Name)
		}
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Shapes.ServiceID, err)
		}
		a.recorded = s.Audit != nil && a.Access.Changes() && audit.Unrecorded(s.Shapes.SigningName, a.Name) == ""
		ready.actions[a.Name] = &a
		inputs = append(inputs, a.input)
	}
	if s.Front != nil {
		if unused := s.Front.Unused(inputs); len(unused) > 0 {
			return nil, fmt.Errorf("%s has constraints of what no action's input has: %v", s.Shapes.ServiceID, unused)
		}
	}
	return ready, nil
}

// route finds the operation that is called, and what serves it.
func (s *service) route(c call) (operation string, a *Action, err error) {
	if operation, err = c.operation(s.shapes); err != nil {
		return "", nil, err
	}
	a, err = s.action(operation)
	return operation, a, err
}

// allow refuses an input that the service's model does not allow. What AWS has and larder does not serve is refused
// after that.
func (s *service) allow(a *Action, input any) error {
	if s.front != nil {
		if err := s.front.Check(input); err != nil {
			return err
		}
	}
	return a.refuse(input)
}

// action finds what serves an operation. An operation that AWS has and larder
// does not is told from one that nobody has.
func (s *service) action(operation string) (*Action, error) {
	if a, ok := s.actions[operation]; ok {
		return a, nil
	}
	if slices.Contains(s.shapes.Operations, operation) {
		return nil, clientError("InvalidAction",
			"larder does not serve %s:%s; docs/COMPATIBILITY.md lists what it serves",
			s.shapes.SigningName, operation)
	}
	return nil, unknownOperation(operation, s.shapes.Version)
}

func unknownOperation(operation, version string) error {
	return clientError("InvalidAction", "Could not find operation %s for version %s", clip(operation), clip(version))
}

// clip bounds how much of a client's text an error repeats, in bytes.
func clip(s string) string {
	if len(s) > 128 {
		return s[:128] + "…"
	}
	return s
}
