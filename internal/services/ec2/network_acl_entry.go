package ec2

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/audit"
	sdk "larder/internal/awssdk/ec2"
	"larder/internal/awssdk/ec2/types"
	"larder/internal/network"
	"larder/internal/store"
)

// maxEntries is how many rules an ACL may have in each direction; AWS raises its quota of 20 to this on request.
const maxEntries = 40

// The numbers that IANA gave the protocols with ports or types.
const (
	icmpNumber   = "1"
	tcpNumber    = "6"
	udpNumber    = "17"
	icmpv6Number = "58"
)

func (s *Service) createACLEntry(ctx context.Context,
	in *sdk.CreateNetworkAclEntryInput) (*sdk.CreateNetworkAclEntryOutput, error) {
	e, err := entryOf(&sdk.ReplaceNetworkAclEntryInput{
		Egress: in.Egress, RuleNumber: in.RuleNumber, Protocol: in.Protocol, RuleAction: in.RuleAction,
		CidrBlock:     in.CidrBlock,
		Ipv6CidrBlock: in.Ipv6CidrBlock, IcmpTypeCode: in.IcmpTypeCode, PortRange: in.PortRange,
	})
	if err != nil {
		return nil, err
	}
	err = s.changeEntries(ctx, in.NetworkAclId, e, func(entries []network.ACLEntry, at int) ([]network.ACLEntry, error) {
		if at >= 0 {
			return nil, refuse("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.",
				e.Number)
		}
		n := 0
		for _, other := range entries {
			if other.Egress == e.Egress {
				n++
			}
		}
		if n >= maxEntries {
			return nil, refuse("NetworkAclEntryLimitExceeded",
				"The maximum number of network acl entries has been reached: the limit is %d in each direction.",
				maxEntries)
		}
		return append(entries, e), nil
	})
	return &sdk.CreateNetworkAclEntryOutput{}, err
}

func (s *Service) replaceACLEntry(ctx context.Context,
	in *sdk.ReplaceNetworkAclEntryInput) (*sdk.ReplaceNetworkAclEntryOutput, error) {
	e, err := entryOf(in)
	if err != nil {
		return nil, err
	}
	err = s.changeEntries(ctx, in.NetworkAclId, e, func(entries []network.ACLEntry, at int) ([]network.ACLEntry, error) {
		if at < 0 {
			return nil, entryNotFound(e.Number)
		}
		entries[at] = e
		return entries, nil
	})
	return &sdk.ReplaceNetworkAclEntryOutput{}, err
}

func (s *Service) deleteACLEntry(ctx context.Context,
	in *sdk.DeleteNetworkAclEntryInput) (*sdk.DeleteNetworkAclEntryOutput, error) {
	e, err := entryKey(in.RuleNumber, in.Egress)
	if err != nil {
		return nil, err
	}
	err = s.changeEntries(ctx, in.NetworkAclId, e, func(entries []network.ACLEntry, at int) ([]network.ACLEntry, error) {
		if at < 0 {
			return nil, entryNotFound(e.Number)
		}
		return slices.Delete(entries, at, at+1), nil
	})
	return &sdk.DeleteNetworkAclEntryOutput{}, err
}

func entryNotFound(number int32) error {
	return refuse("InvalidNetworkAclEntry.NotFound", "The network acl entry identified by %d does not exist", number)
}

// changeEntries changes an ACL's rules. The change gets where among them the rule of this number and direction is, or
// -1.
func (s *Service) changeEntries(
	ctx context.Context, acl *string, e network.ACLEntry, change func(entries []network.ACLEntry,
		at int) ([]network.ACLEntry, error),
) error {
	id, err := required("networkAclId", acl)
	if err != nil {
		return err
	}
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		a, err := find(tx, network.ACLs, id, aclNotFound)
		if err != nil {
			return err
		}
		entries := append([]network.ACLEntry{}, a.Rules()...)
		at := slices.IndexFunc(entries,
			func(other network.ACLEntry) bool { return other.Number == e.Number && other.Egress == e.Egress })
		if a.Entries, err = change(entries, at); err != nil {
			return err
		}
		slices.SortFunc(a.Entries, func(x, y network.ACLEntry) int { return cmp.Compare(x.Number, y.Number) })
		return network.ACLs.Put(tx, id, a)
	})
}

// entryKey reads what names a rule in its ACL.
func entryKey(number *int32, egress *bool) (network.ACLEntry, error) {
	e := network.ACLEntry{Number: aws.ToInt32(number), Egress: aws.ToBool(egress), From: -1, To: -1}
	switch {
	case number == nil:
		return e, missing("ruleNumber")
	case egress == nil:
		return e, missing("egress")
	case e.Number < firstEntry || e.Number > finalEntry:
		return e, invalidValue("Invalid value '%d' for ruleNumber. It is %d to %d.", e.Number, firstEntry, finalEntry)
	}
	return e, nil
}

// entryOf reads a rule.
func entryOf(in *sdk.ReplaceNetworkAclEntryInput) (network.ACLEntry, error) {
	e, err := entryKey(in.RuleNumber, in.Egress)
	if err != nil {
		return e, err
	}
	switch in.RuleAction {
	case types.RuleActionAllow, types.RuleActionDeny:
		e.Allow = in.RuleAction == types.RuleActionAllow
	case "":
		return e, missing("ruleAction")
	default:
		return e, invalidValue("Value (%s) for parameter ruleAction is invalid. Use allow or deny.", in.RuleAction)
	}
	if e.CIDR, err = entryBlock(in.CidrBlock, in.Ipv6CidrBlock); err != nil {
		return e, err
	}
	given, err := required("protocol", in.Protocol)
	if err != nil {
		return e, err
	}
	if e.Protocol, err = protocolNumber(given); err != nil {
		return e, err
	}
	return entryTraffic(e, in.PortRange, in.IcmpTypeCode)
}

// entryBlock reads the one block of a rule.
func entryBlock(v4, v6 *string) (netip.Prefix, error) {
	if v4 != nil && v6 != nil {
		return netip.Prefix{}, invalidCombination(
			"The parameter cidrBlock may not be used in combination with ipv6CidrBlock.")
	}
	if v6 == nil {
		return parseBlock(v4)
	}
	block, err := netip.ParsePrefix(*v6)
	if err != nil || !block.Addr().Is6() || block.Addr().Is4In6() {
		return block, invalidValue(
			"Value (%s) for parameter ipv6CidrBlock is invalid. This is not a valid IPv6 CIDR block.", *v6)
	}
	return block.Masked(), nil
}

// protocolNumber gives a protocol the form in which EC2 keeps it in ACLs.
func protocolNumber(given string) (string, error) {
	name, err := protocol(given)
	if number, ok := map[string]string{
		"tcp": tcpNumber, "udp": udpNumber, "icmp": icmpNumber, "icmpv6": icmpv6Number,
	}[name]; ok {
		return number, err
	}
	return name, err
}

// entryTraffic adds ports, or ICMP's type and code, where the protocol has them.
func entryTraffic(e network.ACLEntry, ports *types.PortRange, icmp *types.IcmpTypeCode) (network.ACLEntry, error) {
	switch e.Protocol {
	case tcpNumber, udpNumber:
		if ports == nil || ports.From == nil || ports.To == nil {
			return e, missing("portRange")
		}
		e.From, e.To = *ports.From, *ports.To
		if e.From < 0 || e.To < e.From || e.To > 65535 {
			return e, invalidValue("Invalid TCP/UDP port range (%d:%d)", e.From, e.To)
		}
	case icmpNumber, icmpv6Number:
		if icmp == nil || icmp.Type == nil || icmp.Code == nil {
			return e, missing("icmpTypeCode")
		}
		e.From, e.To = *icmp.Type, *icmp.Code
		if min(e.From, e.To) < -1 || max(e.From, e.To) > 255 {
			return e, invalidValue("Invalid ICMP type or code (%d:%d). Each is 0 to 255, or -1 for all.", e.From, e.To)
		}
	}
	return e, nil
}

func describeEntry(e network.ACLEntry) types.NetworkAclEntry {
	out := types.NetworkAclEntry{Egress: &e.Egress, Protocol: &e.Protocol, RuleAction: types.RuleActionDeny,
		RuleNumber: &e.Number}
	if e.Allow {
		out.RuleAction = types.RuleActionAllow
	}
	if e.CIDR.Addr().Is4() {
		out.CidrBlock = new(e.CIDR.String())
	} else {
		out.Ipv6CidrBlock = new(e.CIDR.String())
	}
	switch e.Protocol {
	case tcpNumber, udpNumber:
		out.PortRange = &types.PortRange{From: &e.From, To: &e.To}
	case icmpNumber, icmpv6Number:
		out.IcmpTypeCode = &types.IcmpTypeCode{Type: &e.From, Code: &e.To}
	}
	return out
}

// entryPort looks at one end of a rule's ports.
func entryPort(get func(*types.PortRange) *int32) func(types.NetworkAclEntry) []string {
	return func(e types.NetworkAclEntry) []string {
		if e.PortRange == nil {
			return nil
		}
		return []string{strconv.Itoa(int(*get(e.PortRange)))}
	}
}
