package gateway

import (
	"fmt"
	"slices"

	"larder/internal/awswire"
)

// Service is one AWS service: its wire facts, and the actions larder serves.
type Service struct {
	Shapes  *awswire.Shapes
	Actions []Action
	// MaxBody is the largest request body in bytes; 0 means the gateway's.
	MaxBody int64
}

// service is a Service made ready.
type service struct {
	shapes  *awswire.Shapes
	codec   *awswire.Codec
	actions map[string]*Action
	maxBody int64
}

func newService(s Service) (*service, error) {
	ready := &service{shapes: s.Shapes, codec: awswire.NewCodec(s.Shapes), actions: map[string]*Action{}, maxBody: s.MaxBody}
	for _, a := range s.Actions {
		if !slices.Contains(s.Shapes.Operations, a.Name) {
			return nil, fmt.Errorf("%s has no operation %s", s.Shapes.ServiceID, a.Name)
		}
		if !s.Shapes.Covers(a.Name) {
			return nil, fmt.Errorf("%s's wire table does not cover %s: add it to shapegen's list", s.Shapes.ServiceID, a.Name)
		}
		if ready.actions[a.Name] != nil {
			return nil, fmt.Errorf("%s's %s is declared twice", s.Shapes.ServiceID, a.Name)
		}
		if err := a.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Shapes.ServiceID, err)
		}
		ready.actions[a.Name] = &a
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

// action finds what serves an operation. An operation that AWS has and larder
// does not is told from one that nobody has.
func (s *service) action(operation string) (*Action, error) {
	if a, ok := s.actions[operation]; ok {
		return a, nil
	}
	if slices.Contains(s.shapes.Operations, operation) {
		return nil, clientError("InvalidAction", "larder does not serve %s:%s; docs/COMPATIBILITY.md lists what it serves",
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
