package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
)

// progress shows how an apply goes, with the time since it began: on a terminal how many of the nodes are available and
// one line per node, which are rewritten, elsewhere a line per change.
type progress struct {
	w     printer
	live  bool
	width int
	begin time.Time
	now   func() time.Time

	mu    sync.Mutex
	done  []string
	last  map[string]string // what was said of each node
	lines int               // of the live block, to go back over
	head  string            // of the live block
}

func newProgress(w printer) *progress {
	width, live := terminal(w)
	return &progress{w: w, live: live, width: width, begin: time.Now(), now: time.Now, last: map[string]string{}}
}

// elapsed is the time since the apply began.
func (p *progress) elapsed() time.Duration { return p.now().Sub(p.begin) }

// Done implements deploy.Progress.
func (p *progress) Done(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.done = append(p.done, what)
	fmt.Fprintln(p.w, what)
}

// Members implements deploy.Progress.
func (p *progress) Members(group *ectypes.ReplicationGroup, clusters []ectypes.CacheCluster) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	available := 0
	for _, c := range clusters {
		if aws.ToString(c.CacheClusterStatus) == "available" {
			available++
		}
	}
	head := fmt.Sprintf("%s: %d of %d nodes available (%d%%), %d s", aws.ToString(group.ReplicationGroupId), available,
		len(clusters), 100*available/max(len(clusters), 1), int(p.elapsed().Seconds()))
	changed := p.live && head != p.head
	p.head = head
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
			fmt.Fprintf(p.w, "%s  %.1f s\n", strings.TrimRight(line, " "), p.elapsed().Seconds())
		}
	}
	if p.live && changed {
		p.erase()
		lines = append([]string{head}, lines...)
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
