package logs

import (
	"fmt"
	"slices"
	"strings"

	"larder/internal/store"
)

// Damaged lists the log groups of which events were found that cannot be read, each with the files that have them.
func (s *Service) Damaged() (all []string, err error) {
	files := s.Events.Damaged()
	if len(files) == 0 {
		return nil, nil
	}
	err = s.Store.View(func(tx *store.Tx) error {
		found, err := groups.List(tx)
		for _, g := range found {
			if names := files[g.id()]; len(names) > 0 {
				all = append(all, fmt.Sprintf("%s: %s in logs/%s", g.Name, strings.Join(names, ", "), g.id()))
			}
		}
		return err
	})
	slices.Sort(all)
	return all, err
}
