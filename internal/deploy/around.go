package deploy

import (
	"context"
	"slices"

	"larder/internal/module"
)

// Loader reads the module call again, with what its references to other modules now resolve to.
type Loader func(module.StandIns) (*module.Call, error)

// companions makes what the modules around the redis module make, those first that the others build on, and reads the
// call with it.
func (a *apply) companions(ctx context.Context, load Loader, found module.StandIns) error {
	all := stages()
	for _, kinds := range [][]kind{all[0], slices.Concat(all[1:]...)} {
		call, err := load(found)
		if err != nil {
			return err
		}
		var steps []func(context.Context) error
		for _, k := range kinds {
			if k, also := k.(companionKind); also {
				steps = append(steps, func(ctx context.Context) error { return k.companions(ctx, a, call.Companions, &found) })
			}
		}
		if err := runConcurrently(steps...)(ctx); err != nil {
			return err
		}
	}
	call, err := load(found)
	if err != nil {
		return err
	}
	a.call = call
	return a.standInTopics(ctx, call.Inputs, found)
}

// earlier are the resources of a kind that an earlier apply made, this deployment's own first.
func (a *apply) earlier(kind string) []Resource {
	var all []Resource
	for _, r := range slices.Concat(a.before.Resources, a.before.Shared) {
		if r.Kind == kind {
			all = append(all, r)
		}
	}
	return all
}
