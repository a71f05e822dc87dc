package deploy

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
)

// Keys and VPCs get their ids from AWS when they are made. An apply that dies between the making and the record of
// the id would leave one behind that nobody knows. So it goes like this:
//
//  1. A mark is made up, and the resource is recorded with the mark in the place of the id.
//  2. The resource is made with a tag that has the mark as its value.
//  3. The id is recorded in the place of the mark.
//  4. The tag is taken off.
//
// Who finds a mark in a record finds by it what was made, if anything was.
const (
	markTag    = "larder:making"
	markPrefix = "being made: "
)

// marked records that a key or a VPC is about to be made. The tag's value is the mark.
func (a *apply) marked(ctx context.Context, kind string, recoveryDays int32) (Resource, map[string]string, error) {
	mark := rand.Text()
	r := Resource{Kind: kind, Name: markPrefix + mark, RecoveryDays: recoveryDays}
	return r, map[string]string{markTag: mark}, a.recordAhead(ctx, r)
}

// unmark records the id of what was made with a mark, and takes the tag off.
func (a *apply) unmark(ctx context.Context, r Resource, id, resource string) error {
	a.mu.Lock()
	a.named = slices.DeleteFunc(a.named, func(n Resource) bool { return n == r })
	a.mu.Unlock()
	r.Name = id
	if err := a.made(ctx, r); err != nil {
		return err
	}
	return a.retag(ctx, resource, nil, []string{markTag})
}

// identified puts the ids in the place of marks. A mark with which nothing was made is left out.
func (d *Deployer) identified(ctx context.Context, all []Resource) ([]Resource, error) {
	var known []Resource
	for _, r := range all {
		mark, marked := strings.CutPrefix(r.Name, markPrefix)
		if !marked {
			known = append(known, r)
			continue
		}
		k, found := kindOf(r).(markedKind)
		if !found {
			return nil, fmt.Errorf("this larder cannot find the %s that was being made: another version made it", r.Kind)
		}
		ids, err := k.marked(ctx, d, mark)
		if err != nil {
			return nil, fmt.Errorf("cannot find the %s that was being made: %w", r.Kind, err)
		}
		for _, id := range ids {
			r.Name = id
			known = append(known, r)
		}
	}
	return known, nil
}
