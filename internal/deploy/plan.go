package deploy

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/module"
)

// Effect is what a step of a plan does to what runs. The worse is the greater.
type Effect int

// The effects.
const (
	Creates Effect = iota
	Changes
	Interrupts // a change in which clients lose connections
	Deletes
)

// String is the effect as it is spelled in JSON.
func (e Effect) String() string {
	return [...]string{"create", "change", "interrupt", "delete"}[e]
}

// Step is one thing that an apply does.
type Step struct {
	Effect Effect
	What   string // for people
	// Shared is of what is around the call, which other calls of the configuration share.
	Shared bool
}

// Planned is what Apply would do.
type Planned struct {
	Call  *module.Call // as it is with what the modules around it have made
	Steps []Step       // the worst first; empty when all is as desired
	Notes []string     // what waits already for the maintenance window, and what could not be planned exactly
	// Resources are those that the deployment has then. Those that have no id yet go by placeholders.
	Resources []Resource
}

// Plan says what Apply would do, and does none of it: it sends no request that changes anything, records nothing and
// waits for nobody. What Apply refuses before it changes the group is the same error here. What only the API refuses
// shows at Apply.
func (d *Deployer) Plan(ctx context.Context, load Loader, standIns module.StandIns, before Before) (*Planned, error) {
	run, err := d.begin(ctx, load, standIns, before)
	if err != nil {
		return nil, err
	}
	run.planning = true
	if err := run.all(ctx, load, standIns); err != nil {
		return nil, knownAfterUp{err}
	}
	p := &Planned{Call: run.call, Notes: run.notes, Resources: run.resources()}
	for _, s := range run.steps {
		s.What = reveal(ToDo(s.What))
		p.Steps = append(p.Steps, s)
	}
	slices.SortStableFunc(p.Steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(b.Effect, a.Effect), cmp.Compare(a.What, b.What))
	})
	return p, nil
}

// knownAfterUp is an error of a plan, whose text may name what has no id yet.
type knownAfterUp struct{ error }

func (e knownAfterUp) Error() string { return reveal(e.error.Error()) }
func (e knownAfterUp) Unwrap() error { return e.error }

// write runs send, which changes something through the API. A plan does not run it.
func (a *apply) write(send func() error) error {
	if a.planning {
		return nil
	}
	return send()
}

// request sends a request that changes something. In a plan it sends none, and the answer is empty.
func request[I, O, P any](
	ctx context.Context, a *apply, call func(context.Context, *I, ...func(*P)) (*O, error), in *I,
) (out *O, err error) {
	out = new(O)
	err = a.write(func() (err error) {
		out, err = call(ctx, in)
		return err
	})
	return out, err
}

// verbs begin the texts of what is done. A text that begins with none of them is of a change, and the same in a plan.
var verbs = []struct {
	done, planned string
	effect        Effect
}{
	{"created ", "create ", Creates},
	{"restored ", "restore ", Creates},
	{"added ", "add ", Creates},
	{"subscribed ", "subscribe ", Creates},
	{"deleted ", "delete ", Deletes},
	{"revoked ", "revoke ", Deletes},
	{"changed ", "change ", Changes},
	{"removed ", "remove ", Changes}, // a tag
	{"turned ", "turn ", Changes},
	{"withdrew ", "withdraw ", Changes}, // what waited for the maintenance window
}

func effectOf(done string) Effect {
	for _, v := range verbs {
		if strings.HasPrefix(done, v.done) {
			return v.effect
		}
	}
	return Changes
}

// ToDo turns the text of what is done into that of what is to be done.
func ToDo(done string) string {
	for _, v := range verbs {
		if rest, found := strings.CutPrefix(done, v.done); found {
			return v.planned + rest
		}
	}
	return done
}

// What a plan would make has no id yet. Where the module's inputs want one, a placeholder of the right form stands for
// it, which no id of AWS or larder is. Texts show unknown in its place.
const (
	unknown     = "(known after up)"
	placeholder = "ffffffffffff"
)

var placeholders = regexp.MustCompile(`(arn:[\w:/-]*|[a-z]+-)` + placeholder + `[0-9a-f]*`)

func reveal(text string) string { return placeholders.ReplaceAllString(text, unknown) }

// isUnknown tells whether an id stands for something that is not made yet.
func isUnknown(id string) bool { return placeholders.MatchString(id) }

// unknownID makes a placeholder for an id of EC2's, such as vpc-…, that no other in this plan is.
func (a *apply) unknownID(prefix string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unknowns++
	return fmt.Sprintf("%s-%s%05x", prefix, placeholder, a.unknowns)
}

// unknownKey is a placeholder for the ARN of a key beside another.
func unknownKey(beside string) string {
	return beside[:strings.LastIndex(beside, "/")+1] + "ffffffff-ffff-4fff-bfff-" + placeholder
}

// unknownToken stands for a token that is generated later. It has the form of one.
func unknownToken(length int) module.Secret { return module.Secret(strings.Repeat("-", length)) }

// UnknownStandIns are stand-ins whose ids are placeholders, for a plan where there is no engine yet.
func UnknownStandIns(s module.StandIns) module.StandIns {
	run := &apply{}
	s.VPCID, s.SecurityGroupID = run.unknownID("vpc"), run.unknownID("sg")
	s.ClientGroupID = s.SecurityGroupID
	s.KMSKeyARN = unknownKey(s.KMSKeyARN)
	s.SubnetIDs = slices.Clone(s.SubnetIDs)
	for i := range s.SubnetIDs {
		s.SubnetIDs[i] = run.unknownID("subnet")
	}
	return s
}

// expectChanges is changeGroup for a plan: what becomes of the changes, as far as that is known before.
func (a *apply) expectChanges(ctx context.Context, changes []module.Change) error {
	atOnce := a.desired.ApplyImmediately
	for _, c := range changes {
		if c.Field == "CacheNodeType" && atOnce && !c.Withdrawn {
			if err := a.expectRoom(ctx, c); err != nil {
				return err
			}
		}
	}
	a.sayChanged(changes, func(c module.Change) bool { return !atOnce && module.CanWait(c) })
	then := *a.observed.ReplicationGroup
	then.MemberClusters = a.desired.MembersThen(then)
	a.observed.ReplicationGroup = &then
	a.desired = a.call.Resources(a.observed.Known())
	return nil
}

// expectRoom is the error of a smaller node type that cannot hold the group's data.
func (a *apply) expectRoom(ctx context.Context, c module.Change) error {
	id := a.call.ReplicationGroupID()
	if !a.call.SmallerNodes(c.New, c.Old) || a.observed.CacheCluster == nil {
		return nil
	}
	out, err := a.Cache.ListAllowedNodeTypeModifications(ctx,
		&elasticache.ListAllowedNodeTypeModificationsInput{ReplicationGroupId: &id})
	if err != nil {
		return fmt.Errorf("cannot tell whether the data of the replication group %s fit into %s: %w", id, c.New, err)
	}
	if slices.Contains(out.ScaleDownModifications, c.New) {
		return nil
	}
	return a.noRoom(id, c, "a node of that type cannot hold the data of the group")
}

// expectRest is awaitRest for a plan, which waits for nobody: a group that is being deleted counts as gone, any other
// as it is described now.
func (a *apply) expectRest(ctx context.Context, call *module.Call, o module.Observed) (module.Observed, error) {
	if o.ReplicationGroup == nil {
		return o, nil
	}
	switch status := aws.ToString(o.ReplicationGroup.Status); status {
	case "available":
	case "deleting":
		o.ReplicationGroup, o.CacheCluster = nil, nil
		a.notes = append(a.notes, fmt.Sprintf("the replication group %s is deleting: this is what there is to do "+
			"when it is gone", call.ReplicationGroupID()))
	default:
		if err := a.failure(ctx, o.ReplicationGroup); err != nil {
			return o, err
		}
		a.notes = append(a.notes, fmt.Sprintf("the replication group %s is %s: this compares the call with what is "+
			"described of it now, and not its tags and what its nodes tell; plan again when it is available",
			call.ReplicationGroupID(), status))
	}
	return o, nil
}
