// Package loopback assigns each engine its own block of 127/8, so that the nodes of two engines never collide.
package loopback

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
)

// Blocks are in 127.64.0.0 to 127.255.255.255, apart from the addresses that people and other programs use.
const (
	firstOctet = 64
	blockBits  = 20 // a block has 4,096 addresses
	blocks     = (256 - firstOctet) * 16
	attempts   = 64
)

// Block is a claimed block. It stays claimed until Close, or until the process ends.
type Block struct {
	netip.Prefix
	claim net.Listener
}

// Close releases the block.
func (b *Block) Close() error { return b.claim.Close() }

// Claim claims the block that the engine had before. If before is zero, it claims a block in which no process listens;
// random yields block numbers to try.
func Claim(before netip.Prefix, random func(n int) int) (*Block, error) {
	if before.IsValid() {
		b, err := claim(before)
		if err != nil {
			who, _ := named(claimName(before))
			return nil, fmt.Errorf("cannot use the addresses of this state directory, %s: another larder on this "+
				"machine uses them, or what has taken its name: %s: %w", before, who, err)
		}
		return b, nil
	}
	var err error
	for range attempts {
		prefix := block(random(blocks))
		var used bool
		if used, err = listening(prefix); err != nil || used {
			continue
		}
		var b *Block
		if b, err = claim(prefix); err == nil {
			return b, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("cannot find a free block of loopback addresses in %d attempts", attempts), err)
}

func block(n int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{127, byte(firstOctet + n/16), byte(n % 16 * 16), 0}), blockBits)
}

// claim listens on an abstract unix socket. Its name is unique in the network namespace, as loopback addresses are, and
// the kernel frees it when the process ends in any way.
func claim(p netip.Prefix) (*Block, error) {
	l, err := net.Listen("unix", claimName(p))
	if err != nil {
		return nil, err
	}
	return &Block{p, l}, nil
}

func claimName(p netip.Prefix) string { return "@larder/" + p.String() }

// listening reports whether a process listens on an address of the block. It may be a node whose engine is down.
func listening(p netip.Prefix) (bool, error) {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return false, fmt.Errorf("cannot see who listens on this machine (larder needs Linux): %w", err)
	}
	defer f.Close()
	addrs, err := parseListeners(f)
	for _, a := range addrs {
		if p.Contains(a.Addr()) {
			return true, err
		}
	}
	return false, err
}

// parseListeners parses the local addresses of listening sockets in the format of /proc/net/tcp.
func parseListeners(r io.Reader) ([]netip.AddrPort, error) {
	const listen = "0A"
	var out []netip.AddrPort
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || fields[3] != listen {
			continue
		}
		address, port, _ := strings.Cut(fields[1], ":")
		ip, errIP := hex.DecodeString(address)
		number, errPort := hex.DecodeString(port)
		if errIP != nil || errPort != nil || len(ip) != 4 || len(number) != 2 {
			return nil, fmt.Errorf("cannot read the listening address %q", fields[1])
		}
		// The kernel prints the address as a number in the machine's byte order, which is little-endian wherever larder runs.
		a := netip.AddrFrom4([4]byte{ip[3], ip[2], ip[1], ip[0]})
		out = append(out, netip.AddrPortFrom(a, uint16(number[0])<<8|uint16(number[1])))
	}
	return out, lines.Err()
}

// PortFree returns nil if a process may listen on the address. The error says what prevents it.
func PortFree(a netip.AddrPort) error {
	l, err := net.Listen("tcp", a.String())
	switch {
	case err == nil:
		return l.Close()
	case errors.Is(err, syscall.EADDRINUSE):
		who := "another process"
		if p, found := Listener(a); found {
			who = p.String()
		}
		return fmt.Errorf("port %d is in use on this machine: %s listens on it (ss -ltnp 'sport = :%d' shows which)",
			a.Port(), who, a.Port())
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("port %d may be listened on by root only: choose one of 1024 to 65535", a.Port())
	}
	return fmt.Errorf("cannot listen on %s: %w", a, err)
}
