package elasticache_test

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/servicetest"
)

const (
	off       = cache.TransitOff
	preferred = cache.TransitPreferred
	required  = cache.TransitRequired
)

// inTransit makes an available group whose encryption in transit has that mode.
func (s *server) inTransit(t *testing.T, id string, mode cache.TransitMode, token bool) {
	t.Helper()
	s.available(t, id, 2, func(in *sdk.CreateReplicationGroupInput) {
		in.TransitEncryptionEnabled = new(mode != off)
		in.TransitEncryptionMode = types.TransitEncryptionMode(mode)
		if token {
			in.AuthToken = new(authToken)
		}
	})
	s.update(t, id, func(g cache.Topology) {
		for i := range g.Only().Members {
			g.Only().Members[i].Certifiable = true
		}
	})
}

// TestTransitTransitions sends every combination of the two fields to a group in every mode.
func TestTransitTransitions(t *testing.T) {
	s := newServer(t)
	const (
		noMode = "To modify transit encryption mode, set encryption-in-transit as enabled."
		onNow  = "Direct transition from transit-encryption-disabled to transit-encryption-enabled is not allowed. " +
			"Update the cluster to transit-encryption-mode preferred prior to enabling transit encryption."
		offNow = "Direct transition from transit-encryption-enabled to transit-encryption-disabled is not allowed. " +
			"Update the cluster to transit-encryption-mode preferred prior to disabling transit encryption."
	)
	on, no := new(true), new(false)
	for i, c := range []struct {
		from    cache.TransitMode
		enabled *bool
		mode    cache.TransitMode // "" for none
		to      cache.TransitMode
		refusal string
	}{
		{off, nil, "", off, ""}, {off, nil, preferred, off, noMode}, {off, nil, required, off, noMode},
		{off, no, "", off, ""}, {off, no, preferred, off, noMode}, {off, no, required, off, noMode},
		{off, on, "", off, onNow}, {off, on, preferred, preferred, ""}, {off, on, required, off, onNow},
		{preferred, nil, "", preferred, ""}, {preferred, nil, preferred, preferred, ""},
		{preferred, nil, required, required, ""},
		{preferred, no, "", off, ""}, {preferred, no, preferred, preferred, noMode},
		{preferred, no, required, preferred, noMode},
		{preferred, on, "", preferred, ""}, {preferred, on, preferred, preferred, ""},
		{preferred, on, required, required, ""},
		{required, nil, "", required, ""}, {required, nil, preferred, preferred, ""},
		{required, nil, required, required, ""},
		{required, no, "", required, offNow}, {required, no, preferred, required, noMode},
		{required, no, required, required, noMode},
		{required, on, "", required, ""}, {required, on, preferred, preferred, ""},
		{required, on, required, required, ""},
	} {
		id := fmt.Sprintf("g%d", i)
		s.inTransit(t, id, c.from, false)
		err := s.modify(t, id, func(in *modify) {
			in.TransitEncryptionEnabled, in.ApplyImmediately = c.enabled, new(true)
			in.TransitEncryptionMode = types.TransitEncryptionMode(c.mode)
		})
		what := fmt.Sprintf("from %q, enabled %v, mode %q", c.from, c.enabled, c.mode)
		if c.refusal != "" {
			servicetest.WantError(t, err, combination, c.refusal)
		} else if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		g := s.group(t, id)
		if got := g.Transit(); got != c.to {
			t.Errorf("%s: the mode is %q, want %q", what, got, c.to)
		}
	}
}

// TestASwitchIsDescribed: until the nodes are switched the old mode is described, and the new one as what is to come.
func TestASwitchIsDescribed(t *testing.T) {
	s := newServer(t)
	s.inTransit(t, "mine", off, false)
	check := func(when string, enabled bool, mode cache.TransitMode, pending *bool, next cache.TransitMode) {
		t.Helper()
		groups := must(s.DescribeReplicationGroups(t.Context(), &sdk.DescribeReplicationGroupsInput{}))(t)
		g := groups.ReplicationGroups[0]
		c := must(s.DescribeCacheClusters(t.Context(), &sdk.DescribeCacheClustersInput{}))(t).CacheClusters[0]
		ofGroup, ofCluster := g.PendingModifiedValues, c.PendingModifiedValues
		for what, got := range map[string][4]any{
			"group": {*g.TransitEncryptionEnabled, cache.TransitMode(g.TransitEncryptionMode),
				ofGroup.TransitEncryptionEnabled, cache.TransitMode(ofGroup.TransitEncryptionMode)},
			"cluster": {*c.TransitEncryptionEnabled, cache.TransitMode(c.TransitEncryptionMode),
				ofCluster.TransitEncryptionEnabled, cache.TransitMode(ofCluster.TransitEncryptionMode)},
		} {
			p := got[2].(*bool)
			same := (p == nil) == (pending == nil) && (p == nil || *p == *pending)
			if got[0] != enabled || got[1] != mode || !same || got[3] != next {
				t.Errorf("%s, the %s: %v", when, what, got)
			}
		}
	}
	step := func(enabled *bool, mode cache.TransitMode) {
		t.Helper()
		if err := s.modify(t, "mine", func(in *modify) {
			in.TransitEncryptionEnabled, in.ApplyImmediately = enabled, new(true)
			in.TransitEncryptionMode = types.TransitEncryptionMode(mode)
		}); err != nil {
			t.Fatal(err)
		}
	}
	done := func() {
		s.update(t, "mine", func(g cache.Topology) { g.TransitBefore, g.Status = nil, cache.Available })
	}
	check("before", false, off, nil, "")
	step(new(true), preferred)
	check("on the way to preferred", false, off, new(true), preferred)
	done()
	check("in preferred", true, preferred, nil, "")
	step(nil, required)
	check("on the way to required", true, preferred, nil, required)
	done()
	step(nil, preferred)
	done()
	step(new(false), "")
	check("on the way to off", true, preferred, new(false), "")
	done()
	check("off again", false, off, nil, "")
}

func TestSwitchesThatAreRefused(t *testing.T) {
	s := newServer(t)
	s.inTransit(t, "token", required, true)
	s.inTransit(t, "plain", off, false)
	prefer := func(in *modify) {
		in.TransitEncryptionEnabled, in.TransitEncryptionMode = new(true), types.TransitEncryptionModePreferred
		in.ApplyImmediately = new(true)
	}
	servicetest.WantError(t, s.modify(t, "token", prefer), combination,
		"Transit encryption preferred is not supported with redis access control.")
	later := func(in *modify) { prefer(in); in.ApplyImmediately = nil }
	servicetest.WantError(t, s.modify(t, "plain", later), combination,
		"To modify encryption in transit, set the apply-immediately parameter to true.")
	withToken := func(in *modify) { prefer(in); in.AuthToken = new(authToken) }
	servicetest.WantError(t, s.modify(t, "plain", withToken), value,
		"The AUTH token modification is only supported when encryption-in-transit is enabled.")
	s.update(t, "plain", func(g cache.Topology) { g.Only().Members[1].Certifiable = false })
	servicetest.WantError(t, s.modify(t, "plain", prefer), combination, "larder cannot switch encryption in transit "+
		"of plain: an earlier larder started its node plain-002, which cannot be given a certificate as it runs. "+
		"Reboot the group's nodes first (reboot-cache-cluster); with a replica no data are lost.")
}

// TestNodesOfAnEarlierLarderWithTLS have files for a certificate, which its records do not say: TLS can be switched off
// and on again.
func TestNodesOfAnEarlierLarderWithTLS(t *testing.T) {
	s := newServer(t)
	s.inTransit(t, "mine", required, false)
	s.update(t, "mine", func(g cache.Topology) {
		for i := range g.Only().Members {
			g.Only().Members[i].Certifiable = false
		}
	})
	for _, step := range []struct {
		enabled bool
		mode    cache.TransitMode
	}{{true, preferred}, {false, ""}, {true, preferred}} {
		if err := s.modify(t, "mine", func(in *modify) {
			in.TransitEncryptionEnabled, in.ApplyImmediately = &step.enabled, new(true)
			in.TransitEncryptionMode = types.TransitEncryptionMode(step.mode)
		}); err != nil {
			t.Fatalf("%+v: %v", step, err)
		}
		s.update(t, "mine", func(g cache.Topology) { g.TransitBefore, g.Status = nil, cache.Available })
	}
}
