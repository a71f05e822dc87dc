package redisnode_test

import (
	"fmt"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"larder/internal/redisnode"
)

// TestAnnouncedArguments: many clients announce an argument of the maximal length of redis-server at once. The node
// cannot hold them and allocates memory for none.
func TestAnnouncedArguments(t *testing.T) {
	const clients, announced = 16, 512 << 20
	s := newField(t).serving(nil)
	if err := s.process.LimitMemory(3<<29 + 2<<30); err != nil { // the engine's limit for a cache.t3.micro
		t.Fatal(err)
	}
	var all []net.Conn
	for range clients {
		conn, err := net.Dial("tcp", s.at().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		all = append(all, conn)
		if _, err := fmt.Fprintf(conn, "AUTH %s\r\n", token); err != nil {
			t.Fatal(err)
		}
		if answer := make([]byte, 5); must(conn.Read(answer)) != 5 || string(answer) != "+OK\r\n" {
			t.Fatalf("AUTH answers %q", answer)
		}
	}
	kill := func(signal unix.Signal) {
		if err := unix.Kill(s.process.PID(), signal); err != nil {
			t.Fatal(err)
		}
	}
	kill(unix.SIGSTOP) // until all have announced theirs
	for _, conn := range all {
		fmt.Fprintf(conn, "*2\r\n$3\r\nGET\r\n$%d\r\n", announced)
	}
	kill(unix.SIGCONT)
	s.state() // the node answers
}

func must[T any](v T, _ error) T { return v }

// TestNoArgumentIsLongerThanTheData: a node whose memory is smaller than the longest argument refuses such an argument.
// Other nodes accept it.
func TestNoArgumentIsLongerThanTheData(t *testing.T) {
	f := newField(t)
	for _, c := range []struct{ nodeType, set, want string }{
		{"cache.t3.micro", "536870912", "402653184"},
		{"cache.t3.micro", "1048576", "1048576"},
		{"cache.m6g.large", "536870912", "536870912"},
	} {
		s := f.start(func(r *redisnode.Config) {
			r.Directives = all(directives(t, c.nodeType, map[string]string{"proto-max-bulk-len": c.set}))
		})
		if got := s.get("proto-max-bulk-len"); got != c.want {
			t.Errorf("%s with %s: an argument may have %s bytes, want %s", c.nodeType, c.set, got, c.want)
		}
	}
}
