package cycle

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"testing"
	"time"
)

// writePause is between two writes of one writer: enough of them to fall into every step of a change, and few enough to
// leave the machine to Terraform.
const writePause = 2 * time.Millisecond

// load writes through the primary endpoint for as long as it runs, each key once, and remembers what was acknowledged.
type load struct {
	cloud *cloud
	stop  context.CancelFunc
	done  sync.WaitGroup

	acknowledged []int          // numbers of the keys
	refused      map[string]int // writes that got no acknowledgement, by the reason
	longest      time.Duration  // between two acknowledged writes
}

// port is what differs between two messages about one kind of failure.
var port = regexp.MustCompile(`[0-9.]+:[0-9]+(->)?`)

func loadKey(n int) string { return fmt.Sprintf("load-%d", n) }

// startLoad starts a writer, which ends with the test if not before.
func startLoad(t *testing.T, c *cloud) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cloud: c, stop: cancel, refused: map[string]int{}}
	t.Cleanup(func() { l.stop(); l.done.Wait() })
	primary, err := c.primary()
	if err != nil {
		t.Fatal(err)
	}
	l.done.Go(func() { l.write(ctx, primary) })
	return l
}

// write is a client that takes its token from the module's secret.
func (l *load) write(ctx context.Context, primary string) {
	client := l.cloud.connectWith(primary, writerPatience, func(context.Context) (string, string, error) {
		token, err := l.cloud.token()
		return "", token, err
	})
	defer client.Close()
	tick := time.NewTicker(writePause)
	defer tick.Stop()
	last := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		if err := client.Set(ctx, loadKey(n), n, 0).Err(); err != nil {
			l.refused[port.ReplaceAllString(err.Error(), "")]++
		} else {
			l.acknowledged = append(l.acknowledged, n)
			l.longest = max(l.longest, time.Since(last))
			last = time.Now()
		}
		<-tick.C
	}
}

// check ends the load, and looks every acknowledged write up on the primary.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.stop()
	l.done.Wait()
	primary, err := l.cloud.primary()
	if err != nil {
		t.Fatal(err)
	}
	token, err := l.cloud.token()
	if err != nil {
		t.Fatal(err)
	}
	client := l.cloud.connect(primary, token)
	defer client.Close()
	missing := 0
	for _, n := range l.acknowledged {
		if got, err := client.Get(t.Context(), loadKey(n)).Int(); err != nil || got != n {
			missing++
		}
	}
	t.Logf("%d writes acknowledged, %v not, %d of the acknowledged missing; the longest wait for an acknowledgement "+
		"was %s",
		len(l.acknowledged), l.refused, missing, l.longest.Round(time.Millisecond))
	if missing > 0 || len(l.acknowledged) == 0 {
		t.Errorf("%d of %d acknowledged writes are missing", missing, len(l.acknowledged))
	}
}
