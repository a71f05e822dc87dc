package cli

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"larder/internal/services/larder"
)

// pair is a group of two, as it is when nothing is wrong.
func pair() groupStatus {
	lag := int64(2048)
	return groupStatus{
		ID: "shop", Region: "us-east-1", Status: "available", Engine: "redis 7.0.15", NodeType: "cache.t4g.micro",
		Primary: "127.64.0.1:6379", Reader: "127.64.0.2:6379",
		Nodes: []nodeStatus{
			{ID: "shop-001", Zone: "us-east-1a", Role: "primary", Status: "available", Link: linkUp,
				Address: "127.64.0.3", PID: 41},
			{ID: "shop-002", Zone: "us-east-1b", Role: "replica", Status: "available", Link: linkUp, Lag: &lag,
				Address: "127.64.0.4", PID: 42},
		},
	}
}

func drawn(lines []line, width int, coloured bool) string {
	var out []string
	for _, l := range lines {
		out = append(out, l.draw(width, coloured))
	}
	return strings.Join(out, "\n")
}

func TestStatusLines(t *testing.T) {
	broken := pair()
	broken.Status, broken.Reason = "modifying", "no replica is in sync"
	broken.Nodes[0].Link, broken.Nodes[0].PID = linkGone, 0
	broken.Nodes[1].Link, broken.Nodes[1].Status = linkSyncing, "modifying"
	for name, c := range map[string]struct {
		group groupStatus
		want  string
	}{
		"as it should be": {pair(), `
shop  available  us-east-1  redis 7.0.15  cache.t4g.micro
  NODE      ZONE        ROLE     STATUS     LAG      ADDRESS     PID
  shop-001  us-east-1a  primary  available  -        127.64.0.3  41
  shop-002  us-east-1b  replica  available  2.0 KiB  127.64.0.4  42
  primary endpoint  127.64.0.1:6379
  reader endpoint   127.64.0.2:6379`},
		"primary gone": {broken, `
shop  modifying  us-east-1  redis 7.0.15  cache.t4g.micro
  no replica is in sync
  NODE      ZONE        ROLE     STATUS     LAG      ADDRESS     PID
  shop-001  us-east-1a  primary  available  gone     127.64.0.3  -
  shop-002  us-east-1b  replica  modifying  syncing  127.64.0.4  42
  primary endpoint  127.64.0.1:6379
  reader endpoint   127.64.0.2:6379`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), drawn(c.group.lines(0), 0, false)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestLinks(t *testing.T) {
	for want, n := range map[string]larder.Node{
		linkGone:    {Reachable: true, InSync: true},
		linkSilent:  {PID: 1, InSync: true},
		linkSyncing: {PID: 1, Reachable: true, LagBytes: -1},
		linkUp:      {PID: 1, Reachable: true, InSync: true, LagBytes: 3},
	} {
		got := newNodeStatus(n)
		if got.Link != want || (got.Lag == nil) != (n.LagBytes < 0) {
			t.Errorf("%+v became %+v, want %s", n, got, want)
		}
	}
}

func TestColoursStandOnATerminalOnly(t *testing.T) {
	text := drawn(pair().lines(0), 0, true)
	if !strings.Contains(text, "\x1b[32mavailable\x1b[0m") || !strings.Contains(text, "\x1b[1mprimary\x1b[0m") {
		t.Errorf("no colours in %q", text)
	}
	if text := drawn(pair().lines(0), 0, false); strings.Contains(text, "\x1b") {
		t.Errorf("colours in %q", text)
	}
}

func TestLinesAreNoWiderThanAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l line
		for _, text := range rapid.SliceOfN(rapid.StringMatching(`[a-zé→ ]{0,12}`), 1, 5).Draw(t, "texts") {
			l = append(l, span{text, rapid.SampledFrom([]colour{uncoloured, bold, red}).Draw(t, "colour")})
		}
		width := rapid.IntRange(1, 40).Draw(t, "width")
		whole, cut := l.draw(0, false), l.draw(width, false)
		if n := utf8.RuneCountInString(cut); n > width {
			t.Fatalf("%q has %d characters, want at most %d", cut, n, width)
		}
		if !strings.HasPrefix(whole, cut) {
			t.Fatalf("%q does not begin with %q", whole, cut)
		}
	})
}

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB",
		5 << 20: "5.0 MiB", 3 << 40: "3.0 TiB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d is shown as %s, want %s", bytes, got, want)
		}
	}
}
