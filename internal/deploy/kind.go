package deploy

import (
	"context"
	"slices"

	"larder/internal/module"
)

// kind is all that deploying knows of one kind of resource.
type kind interface {
	// name is the kind's name for people, and in Resource.Kind.
	name() string
	// wanted lists the resources of a call that have their names before they are made.
	wanted(module.Resources) []Resource
	// observe describes what there is of the desired resources. An error that says "not found" is none.
	observe(context.Context, *observation) error
	// apply makes what is missing of the call's own resources, and changes what differs.
	apply(context.Context, *apply) error
	// delete deletes one resource, and waits for its end. An error that says "not found" is none.
	delete(context.Context, *Deployer, Resource) error
}

// A companionKind is made for the companion modules too. A kind without it is made for the redis module alone.
type companionKind interface {
	kind
	// companions makes what a companion module makes, and notes in found what references to its outputs resolve to.
	companions(ctx context.Context, a *apply, m module.Companions, found *module.StandIns) error
}

// A slowKind goes on being made while the resources of the next stage are made.
type slowKind interface {
	kind
	// settle waits until what apply began is there.
	settle(context.Context, *apply) error
}

// A batchKind deletes its resources together and not one by one.
type batchKind interface {
	kind
	deleteAll(context.Context, *Deployer, []Resource) error
}

// A markedKind gets its names from AWS, so that a mark stands for one that is being made.
type markedKind interface {
	kind
	// marked finds the names of what was made with a mark.
	marked(ctx context.Context, d *Deployer, mark string) ([]string, error)
}

// stages returns every kind once, in the one order in which resources are made. The kinds of a stage do not depend on
// each other: they are made side by side. Resources are deleted kind by kind, in the reverse order.
func stages() [][]kind {
	return [][]kind{
		{key{}, alias{}, vpc{}, subnet{}},
		{topic{}, securityGroup{}},
		{logGroup{}, subnetGroup{}, parameterGroup{}, secret{}},
		{replicationGroup{}},
		{alarm{}, dashboard{}},
	}
}

// kindOf returns the kind of a resource, and nil for one that this larder does not know.
func kindOf(r Resource) kind {
	all := slices.Concat(stages()...)
	i := slices.IndexFunc(all, func(k kind) bool { return k.name() == r.Kind })
	if i < 0 {
		return nil
	}
	return all[i]
}

// companion is embedded by kinds that only companion modules make: a call of the redis module has none of its own.
type companion struct{}

func (companion) wanted(module.Resources) []Resource          { return nil }
func (companion) observe(context.Context, *observation) error { return nil }
func (companion) apply(context.Context, *apply) error         { return nil }
