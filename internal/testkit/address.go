package testkit

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports that tests give to servers. They lie below the kernel's ephemeral ports (net.ipv4.ip_local_port_range begins at
// 32768), so that no listener on port 0 and no outgoing connection takes one first.
const (
	firstPort = 10000
	ports     = 20000
)

// Address returns a loopback address where nothing listens. No other test of any process gets it while this one runs.
func Address(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := firstPort + rand.IntN(ports)
		address := fmt.Sprintf("127.0.0.1:%d", port)
		if claim, err := net.Listen("unix", fmt.Sprintf("@larder/test/port/%d", port)); err == nil {
			t.Cleanup(func() { claim.Close() })
			if listenable(address) {
				return address
			}
		}
	}
	t.Fatal("no free port on 127.0.0.1 after 100 attempts")
	return ""
}

func listenable(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	return l.Close() == nil
}
