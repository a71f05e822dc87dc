package elasticache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/audit"
	"larder/internal/catalog"
	"larder/internal/state"
	"larder/internal/store"
)

// maxChanges is how many parameters one ModifyCacheParameterGroup may set.
const maxChanges = 20

func (s *Service) modifyParameterGroup(
	ctx context.Context, in *sdk.ModifyCacheParameterGroupInput,
) (*sdk.ModifyCacheParameterGroupOutput, error) {
	switch n := len(in.ParameterNameValues); {
	case n > maxChanges:
		return nil, invalidValue("The request sets %d parameters. At most %d may be set in one request: send several.",
			n, maxChanges)
	}
	name, err := s.changeParameters(ctx, in.CacheParameterGroupName, func(g parametersOf, values map[string]string) error {
		for _, p := range in.ParameterNameValues {
			parameter := aws.ToString(p.ParameterName)
			if p.ParameterValue == nil {
				return invalidValue("The parameter %s needs a ParameterValue. To set it back to its default, use "+
					"ResetCacheParameterGroup.", parameter)
			}
			if err := g.family.Check(parameter, *p.ParameterValue, g.used); err != nil {
				return invalidValue("%s", err)
			}
			values[parameter] = *p.ParameterValue
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ModifyCacheParameterGroupOutput{CacheParameterGroupName: &name}, nil
}

// resetParameterGroup takes values away. Those that the request gives mean nothing, as on AWS: clients send them along.
func (s *Service) resetParameterGroup(
	ctx context.Context, in *sdk.ResetCacheParameterGroupInput,
) (*sdk.ResetCacheParameterGroupOutput, error) {
	all := aws.ToBool(in.ResetAllParameters)
	switch {
	case all && len(in.ParameterNameValues) > 0:
		return nil, invalidCombination("Cannot specify both ResetAllParameters and ParameterNameValues.")
	case !all && len(in.ParameterNameValues) == 0:
		return nil, invalidValue("The parameter ParameterNameValues must be provided, or ResetAllParameters be true.")
	}
	name, err := s.changeParameters(ctx, in.CacheParameterGroupName, func(g parametersOf, values map[string]string) error {
		names := slices.Sorted(maps.Keys(values))
		if !all {
			names = nil
			for _, p := range in.ParameterNameValues {
				names = append(names, aws.ToString(p.ParameterName))
			}
		}
		for _, parameter := range names {
			p, ok := g.family.Lookup(parameter)
			_, set := values[parameter]
			switch {
			case !ok:
				return invalidValue("Parameter %s doesn't exist", parameter)
			case set && p.UntilUsed && g.used:
				return invalidValue("The parameter %s cannot be modified.", parameter)
			}
			delete(values, parameter)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ResetCacheParameterGroupOutput{CacheParameterGroupName: &name}, nil
}

// parametersOf are the parameters that a group may set, and whether a replication group has it.
type parametersOf struct {
	family *catalog.Parameters
	used   bool
}

// changeParameters changes a group's values. The nodes that use it learn of it: of live parameters through the engine,
// of the others when they next start.
func (s *Service) changeParameters(
	ctx context.Context, group *string, change func(g parametersOf, values map[string]string) error,
) (string, error) {
	name, err := ownParameterGroup(group)
	if err != nil {
		return "", err
	}
	err = audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		g, err := s.parameterGroup(tx, name)
		if errors.Is(err, store.ErrNotFound) {
			return parameterGroupNotFound(name)
		}
		if err != nil {
			return err
		}
		values := map[string]string{}
		maps.Copy(values, g.Values)
		used, err := parametersUsed(tx, name)
		if err != nil {
			return err
		}
		if err := change(parametersOf{s.Families[g.Family], used}, values); err != nil {
			return err
		}
		g.Values = values
		return state.ParameterGroups.Put(tx, name, g)
	})
	if err == nil {
		s.ParametersChanged()
	}
	return name, err
}

// value is a parameter's value in a group, and whether the group sets it.
func value(p catalog.Parameter, set map[string]string) (string, bool) {
	if v, ok := set[p.Name]; ok {
		return v, true
	}
	return p.Default, false
}

// Where a parameter's value comes from, as the API names it.
const (
	sourceUser          = "user"
	sourceSystem        = "system"
	sourceEngineDefault = "engine-default"
)

func (s *Service) describeParameters(
	_ context.Context, in *sdk.DescribeCacheParametersInput,
) (*sdk.DescribeCacheParametersOutput, error) {
	source := aws.ToString(in.Source)
	if !slices.Contains([]string{"", sourceUser, sourceSystem, sourceEngineDefault}, source) {
		return nil, invalidValue("Invalid value %s for Source. Must be one of %s, %s, %s", source, sourceUser,
			sourceSystem, sourceEngineDefault)
	}
	name, err := reference("CacheParameterGroupName", in.CacheParameterGroupName)
	if err != nil {
		return nil, err
	}
	g, err := s.listed(name)
	if err != nil {
		return nil, err
	}
	l := s.list(g, source)
	out := &sdk.DescribeCacheParametersOutput{CacheNodeTypeSpecificParameters: l.byNodeType}
	out.Parameters, out.Marker, err = page(l.parameters, l.key, in.MaxRecords, in.Marker)
	return out, err
}

func (s *Service) describeEngineDefaults(
	_ context.Context, in *sdk.DescribeEngineDefaultParametersInput,
) (*sdk.DescribeEngineDefaultParametersOutput, error) {
	if err := s.checkFamily(in.CacheParameterGroupFamily); err != nil {
		return nil, err
	}
	l := s.list(listedGroup{family: s.Families[*in.CacheParameterGroupFamily]}, sourceSystem)
	parameters, marker, err := page(l.parameters, l.key, in.MaxRecords, in.Marker)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeEngineDefaultParametersOutput{EngineDefaults: &types.EngineDefaults{
		CacheParameterGroupFamily: in.CacheParameterGroupFamily, Parameters: parameters, Marker: marker,
		CacheNodeTypeSpecificParameters: l.byNodeType,
	}}, nil
}

// parameterList is a group's parameters as the API shows them.
type parameterList struct {
	parameters []types.Parameter
	byNodeType []types.CacheNodeTypeSpecificParameter
	position   map[string]int // in the family's table, whose order is the API's
}

func (l parameterList) key(p types.Parameter) string {
	return fmt.Sprintf("%04d", l.position[*p.ParameterName])
}

// listedGroup is a group whose parameters are listed.
type listedGroup struct {
	family *catalog.Parameters
	set    map[string]string
	// system says that the group is AWS's own, and free that no replication group has one that is not.
	system, free bool
}

// listed reads the group of that name.
func (s *Service) listed(name string) (listedGroup, error) {
	groups, err := s.parameterGroups(name)
	if err != nil {
		return listedGroup{}, err
	}
	l := listedGroup{family: s.Families[groups[0].Family], set: groups[0].Values, system: isDefault(name)}
	err = s.Store.View(func(tx *store.Tx) error {
		used, err := parametersUsed(tx, name)
		if _, damaged := errors.AsType[*store.RowError](err); damaged { // that one may have it
			used, err = true, nil
		}
		l.free = !used && !l.system
		return err
	})
	return l, err
}

// list collects the parameters whose values come from source; an empty one means all. A parameter that AWS does not
// list is listed once it is set.
func (s *Service) list(g listedGroup, source string) parameterList {
	l := parameterList{parameters: []types.Parameter{}, byNodeType: []types.CacheNodeTypeSpecificParameter{},
		position: map[string]int{}}
	for i, p := range g.family.All() {
		l.position[p.Name] = i
		v, own := value(p, g.set)
		from := sourceSystem
		if own && !g.system {
			from = sourceUser
		}
		p.Modifiable = p.Modifiable || p.UntilUsed && g.free
		switch {
		case source != "" && source != from:
		case p.Listed || own:
			l.parameters = append(l.parameters, describeParameter(p, v, from))
		case p.NodeTypeSpecific:
			l.byNodeType = append(l.byNodeType, s.describeByNodeType(p))
		}
	}
	return l
}

func describeParameter(p catalog.Parameter, v, source string) types.Parameter {
	out := types.Parameter{
		ParameterName: &p.Name, ParameterValue: &v, Source: &source, AllowedValues: text(p.Allowed),
		DataType:    &p.DataType,
		Description: &p.Description, IsModifiable: &p.Modifiable, MinimumEngineVersion: &p.MinimumVersion,
		ChangeType: changeType(p),
	}
	if v == "" && source != sourceUser {
		out.ParameterValue = nil
	}
	return out
}

func changeType(p catalog.Parameter) types.ChangeType {
	if p.RequiresReboot {
		return types.ChangeTypeRequiresReboot
	}
	return types.ChangeTypeImmediate
}

func (s *Service) describeByNodeType(p catalog.Parameter) types.CacheNodeTypeSpecificParameter {
	out := types.CacheNodeTypeSpecificParameter{
		ParameterName: &p.Name, Source: new(sourceSystem), AllowedValues: text(p.Allowed), DataType: &p.DataType,
		Description: &p.Description, IsModifiable: &p.Modifiable, MinimumEngineVersion: &p.MinimumVersion,
		ChangeType: changeType(p),
	}
	for _, name := range s.NodeTypes.Names() {
		if v, ok := byNodeType(p.Name, s.NodeTypes[name]); ok {
			out.CacheNodeTypeSpecificValues = append(out.CacheNodeTypeSpecificValues,
				types.CacheNodeTypeSpecificValue{CacheNodeType: new(name), Value: new(strconv.FormatInt(v, 10))})
		}
	}
	return out
}

// byNodeType is the value that a parameter has on a node type.
func byNodeType(parameter string, t catalog.NodeType) (int64, bool) {
	switch parameter {
	case "maxmemory":
		return t.MaxMemory, true
	case "client-output-buffer-limit-replica-hard-limit", "client-output-buffer-limit-slave-hard-limit":
		return t.ReplicaBufferHard, true
	case "client-output-buffer-limit-replica-soft-limit", "client-output-buffer-limit-slave-soft-limit":
		return t.ReplicaBufferSoft, true
	}
	return 0, false
}
