package elasticache

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"larder/internal/cache"
	"larder/internal/catalog"
)

// oldestWithMode is the first engine version that takes TransitEncryptionMode, and whose encryption in transit can be
// switched.
const oldestWithMode = "7.0.5"

// errors of ModifyReplicationGroup about encryption in transit, in AWS's words. Of the third only the way on is AWS's:
// it answers the second in the other direction.
const (
	modeWithoutTLS = "To modify transit encryption mode, set encryption-in-transit as enabled."
	onAtOnce       = "Direct transition from transit-encryption-disabled to transit-encryption-enabled is not " +
		"allowed. Update the cluster to transit-encryption-mode preferred prior to enabling transit encryption."
	offAtOnce = "Direct transition from transit-encryption-enabled to transit-encryption-disabled is not allowed. " +
		"Update the cluster to transit-encryption-mode preferred prior to disabling transit encryption."
	preferredWithToken = "Transit encryption preferred is not supported with redis access control."
)

// transit switches encryption in transit: on by the mode preferred and then required, off by preferred too.
func (m *modification) transit(in *sdk.ModifyReplicationGroupInput) error {
	next, err := nextTransit(m.rg.Transit(), in.TransitEncryptionEnabled, in.TransitEncryptionMode)
	if err != nil {
		return err
	}
	given := in.TransitEncryptionMode != ""
	switch switches := next != m.rg.Transit(); {
	case (given || switches) && catalog.CompareVersions(m.rg.EngineVersion, oldestWithMode) < 0:
		return tooOldForMode(m.rg.EngineVersion)
	case !switches:
		return nil
	case next == cache.TransitPreferred && len(m.rg.AuthTokens) > 0:
		return invalidCombination(preferredWithToken)
	case !aws.ToBool(in.ApplyImmediately):
		return invalidCombination("To modify encryption in transit, set the apply-immediately parameter to true.")
	}
	if err := m.certifiable(next); err != nil {
		return err
	}
	m.noteCertifiable()
	m.rg.SwitchTransit(next)
	return nil
}

// noteCertifiable records of nodes that use TLS that they can again: an earlier larder, which did not record it, gave
// them files for a certificate too.
func (m *modification) noteCertifiable() {
	for i := range m.rg.Only().Members {
		m.rg.Only().Members[i].Certifiable = m.rg.Only().Members[i].Certifiable || m.rg.TransitEncryption
	}
}

// nextTransit is the mode that a request leads to from another one.
func nextTransit(from cache.TransitMode, enabled *bool, mode types.TransitEncryptionMode) (cache.TransitMode, error) {
	on := from != cache.TransitOff
	if enabled != nil {
		on = *enabled
	}
	asked := cache.TransitMode(mode)
	switch {
	case !on && mode != "":
		return from, invalidCombination(modeWithoutTLS)
	case !on && from == cache.TransitRequired:
		return from, invalidCombination(offAtOnce)
	case !on:
		return cache.TransitOff, nil
	case from == cache.TransitOff && asked != cache.TransitPreferred:
		return from, invalidCombination(onAtOnce)
	case mode == "":
		return from, nil
	}
	return asked, nil
}

// certifiable refuses TLS for nodes that an earlier larder started without it.
func (m *modification) certifiable(next cache.TransitMode) error {
	old := slices.IndexFunc(m.rg.Only().Staying(), func(member cache.Member) bool { return !member.Certifiable })
	if m.rg.TransitEncryption || next == cache.TransitOff || old < 0 {
		return nil
	}
	return invalidCombination("larder cannot switch encryption in transit of %s: an earlier larder started its "+
		"node %s, which cannot be given a certificate as it runs. Reboot the group's nodes first "+
		"(reboot-cache-cluster); with a replica no data are lost.", m.rg.ID, m.rg.Only().Staying()[old].ID)
}
