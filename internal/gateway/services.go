package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Services are those of one region, made ready. The zero value has none.
type Services struct{ byName map[string]*service } // by signing name

// NewServices makes services ready. Its errors are mistakes in the declared services.
func NewServices(declared []Service) (*Services, error) {
	all := &Services{byName: map[string]*service{}}
	for _, s := range declared {
		name := s.Shapes.SigningName
		if all.byName[name] != nil {
			return nil, fmt.Errorf("gateway: the service %s is declared twice", name)
		}
		ready, err := newService(s)
		if err != nil {
			return nil, fmt.Errorf("gateway: %w", err)
		}
		all.byName[name] = ready
	}
	return all, nil
}

// find finds a service by its signing name.
func (all *Services) find(name string, p protocol) (*service, error) {
	s, ok := all.byName[name]
	if !ok {
		return nil, clientError("InvalidAction", "larder does not serve %s; it serves %s", clip(name),
			strings.Join(slices.Sorted(maps.Keys(all.byName)), ", "))
	}
	if !p.speaks(s.shapes) {
		return nil, clientError("InvalidAction", "%s is asked in %s, not in the protocol of this request",
			s.shapes.SigningName, s.shapes.Protocol)
	}
	return s, nil
}
