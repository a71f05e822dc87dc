package cli

import (
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// progress shows how an apply goes: on a terminal one line per node that is rewritten, elsewhere a line per change.
type progress struct {
	w     printer
	live  bool
	width int

	mu    sync.Mutex
	last  map[string]string // what was said of each node
	lines int               // of the live block, to go back over
}

func newProgress(w printer) *progress {
	width, live := terminal(w)
	return &progress{w: w, live: live, width: width, last: map[string]string{}}
}

// Done implements deploy.Progress.
func (p *progress) Done(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	fmt.Fprintln(p.w, what)
}

// Members implements deploy.Progress.
func (p *progress) Members(group *ectypes.ReplicationGroup, clusters []ectypes.CacheCluster) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	changed := false
	for _, c := range clusters {
		id := aws.ToString(c.CacheClusterId)
		line := fmt.Sprintf("  %s  %s  %s", id, aws.ToString(c.PreferredAvailabilityZone),
			aws.ToString(c.CacheClusterStatus))
		lines = append(lines, line)
		if p.last[id] == line {
			continue
		}
		p.last[id], changed = line, true
		if !p.live {
			fmt.Fprintln(p.w, strings.TrimRight(line, " "))
		}
	}
	if p.live && changed {
		p.erase()
		for _, line := range lines {
			fmt.Fprintln(p.w, line[:min(len(line), max(p.width-1, 1))])
		}
		p.lines = len(lines)
	}
}

// erase takes the live block back.
func (p *progress) erase() {
	if p.lines > 0 {
		fmt.Fprintf(p.w.raw, "\x1b[%dA\x1b[J", p.lines)
		p.lines = 0
	}
}

// finish leaves the screen to what comes next.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}
