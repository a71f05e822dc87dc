package endpoint

import (
	"fmt"
	"net/netip"

	"larder/internal/cache"
)

// GiveAddresses gives free addresses of block to the shard's endpoints and members that have none, in this order, and
// returns them. It changes nothing where block has too few.
func GiveAddresses(shard *cache.Shard, block netip.Prefix, taken map[netip.Addr]bool) ([]netip.Addr, error) {
	var without []*netip.Addr
	each := []*netip.Addr{&shard.PrimaryAddress, &shard.ReaderAddress}
	for i := range shard.Members {
		each = append(each, &shard.Members[i].Address)
	}
	for _, a := range each {
		if !a.IsValid() {
			without = append(without, a)
		}
	}
	given, err := Allocate(block, taken, len(without))
	for i, a := range given {
		*without[i] = a
	}
	return given, err
}

// Allocate returns the first n addresses of block that are not taken. The block's network address is left out, and so
// are addresses that end in 0 or 255, which some tools take for networks and broadcasts.
func Allocate(block netip.Prefix, taken map[netip.Addr]bool, n int) ([]netip.Addr, error) {
	var out []netip.Addr
	for a := block.Masked().Addr().Next(); block.Contains(a) && len(out) < n; a = a.Next() {
		if last := a.As4()[3]; last == 0 || last == 255 || taken[a] {
			continue
		}
		out = append(out, a)
	}
	if len(out) < n {
		return nil, fmt.Errorf("cannot allocate %d addresses: %s has %d left", n, block, len(out))
	}
	return out, nil
}
