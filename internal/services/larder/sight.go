package larder

import (
	"fmt"
	"strings"
	"time"

	"larder/internal/cache"
	"larder/internal/plan"
)

// sight fills in what the engine last saw of a member. A process that is gone was perhaps there at that look.
func (n *Node) sight(shard *cache.Shard, m cache.Member, o plan.Observed) {
	n.LagBytes = -1
	seen := o.Nodes[m.ID]
	if n.PID == 0 || !seen.Answers {
		return
	}
	n.Reachable, n.Offset, n.InSync = true, max(seen.Offset, 0), plan.InSync(shard, o, m.ID)
	if m.Role == cache.Primary {
		n.LagBytes = 0
		return
	}
	if !n.InSync {
		return
	}
	if source := o.Nodes[shard.Primary().ID]; source.Answers {
		// Every node is asked at the same time and answers a little later than another: a replica may well seem ahead.
		n.LagBytes = max(source.Offset-seen.Offset, 0)
	}
}

// crowding says which nodes turn clients away, though all is well with the group; empty for none.
func crowding(rg cache.Topology, o plan.Observed) string {
	var all []string
	for _, m := range rg.Members() {
		switch seen := o.Nodes[m.ID]; {
		case seen.Full > 0:
			all = append(all,
				fmt.Sprintf("%s has %d connections, which is all that it may have: it turns new clients away. "+
					"CLIENT LIST shows who holds them; the parameter timeout ends idle ones.", m.ID, seen.Full))
		case seen.Refuses:
			all = append(all,
				m.ID+" works, and turns larder away, as a node does that has all the connections that it may have: "+
					"nothing else is known of it. "+
					"End clients that hold connections.")
		case seen.TimedOut && !seen.Hung && !seen.CutOff:
			all = append(all, fmt.Sprintf("%s has been busy for %s with a command that cannot be ended, and may "+
				"alone have the data: "+
				"larder leaves it alone. To give them up, end its process.", m.ID, seen.Lag.Round(time.Second)))
		case seen.KillsWithheld:
			all = append(all, "Clients of "+m.ID+" end connections again and again: CLIENT KILL is withheld from "+
				"them until they stop. "+
				"CLIENT LIST shows who they are.")
		}
	}
	return strings.Join(all, " ")
}
