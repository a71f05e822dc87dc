package endpoint_test

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/endpoint"
)

// TestAllocate: distinct free addresses of the block, the lowest first, and an error only where there are too few.
func TestAllocate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(20, 32).Draw(t, "bits")
		block := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 64, 15, 252}), bits)
		var free []netip.Addr
		taken := map[netip.Addr]bool{}
		for a := block.Masked().Addr(); block.Contains(a) && len(free) < 8; a = a.Next() {
			if last := a.As4()[3]; last == 0 || last == 255 || a == block.Masked().Addr() {
				continue
			}
			if rapid.Bool().Draw(t, "taken") {
				taken[a] = true
			} else {
				free = append(free, a)
			}
		}
		n := rapid.IntRange(0, 7).Draw(t, "n")
		got, err := endpoint.Allocate(block, taken, n)
		if (err != nil) != (n > len(free)) {
			t.Fatalf("%d of %s with %d free: %v", n, block, len(free), err)
		}
		if err == nil && !slices.Equal(got, free[:n]) {
			t.Fatalf("%v, want %v", got, free[:n])
		}
	})
}
