package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// TestTheAPIStaysUpUnderUnsignedClients: an engine with few descriptors, more connections than it has of them, which
// ask nothing or send half a request, and those who may ask are answered all the same.
func TestTheAPIStaysUpUnderUnsignedClients(t *testing.T) {
	t.Parallel()
	const descriptors = 256
	d := newHarness(t)
	r := d.run("sh", "-c", fmt.Sprintf("mkdir -m 700 -p %q; ulimit -n %d; %q serve --listen 127.0.0.1:0 >>%q 2>&1 &",
		d.home, descriptors, program,
		filepath.Join(d.home, "engine.log")))
	if r.code != 0 {
		t.Fatal(r.stderr)
	}
	d.eventually("the engine answers", func() bool { return d.larder("status").code == 0 })
	api := d.api()
	var info struct{ Endpoint string }
	if err := json.Unmarshal([]byte(read(t, filepath.Join(d.home, "engine.json"))), &info); err != nil {
		t.Fatal(err)
	}
	for i := range 2 * descriptors {
		conn, err := net.Dial("tcp", strings.TrimPrefix(info.Endpoint, "http://"))
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer conn.Close()
		switch i % 3 {
		case 1:
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\n")
		case 2:
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", strings.Repeat("x", 1000))
		}
	}
	for range 3 {
		if _, err := api.DescribeReplicationGroups(t.Context(),
			&elasticache.DescribeReplicationGroupsInput{}); err != nil {
			t.Fatalf("a signed request: %v", err)
		}
		d.must("status")
	}
	d.must("up", seed+"development.tf") // a node needs descriptors too
}
