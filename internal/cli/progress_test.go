package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

func member(id, status string) ectypes.CacheCluster {
	return ectypes.CacheCluster{CacheClusterId: new(id), CacheClusterStatus: new(status)}
}

// How long an apply has taken is told with each change, and on a terminal each second, with how much is done.
func TestProgressTellsTimeAndShare(t *testing.T) {
	group := &ectypes.ReplicationGroup{ReplicationGroupId: new("shop")}
	steps := []struct {
		after time.Duration
		first string
	}{{1500 * time.Millisecond, "creating"}, {1600 * time.Millisecond, "creating"}, {2 * time.Second, "creating"},
		{3 * time.Second, "available"}}
	run := func(live bool) string {
		var out bytes.Buffer
		now := noon
		p := &progress{w: newPrinter(&out), live: live, width: 80, begin: noon, now: func() time.Time { return now },
			last: map[string]string{}}
		for _, s := range steps {
			now = noon.Add(s.after)
			p.Members(group, []ectypes.CacheCluster{member("shop-001", s.first), member("shop-002", "available")})
		}
		p.finish()
		return out.String()
	}
	piped := run(false)
	if strings.Count(piped, "\n") != 3 || !strings.Contains(piped, "  shop-001    creating  1.5 s\n") ||
		!strings.Contains(piped, "  shop-001    available  3.0 s\n") {
		t.Errorf("without a terminal\n%s", piped)
	}
	live := run(true)
	for _, head := range []string{"(50%), 1 s\n", "(50%), 2 s\n", "shop: 2 of 2 nodes available (100%), 3 s\n"} {
		if strings.Count(live, head) != 1 {
			t.Errorf("%q is not there once in\n%q", head, live)
		}
	}
}
