package exporter

import (
	"context"

	"larder/internal/cache"
	"larder/internal/nodestats"
	"larder/internal/plan"
)

// larder's own metrics. The labels are those that dashboards for redis_exporter choose by: namespace is the replication
// group, instance and pod are the member.
var (
	buildInfo = metric{"larder_build_info", gauge, "Which larder it is."}
	// regionError has a sample for every region.
	regionError = metric{"larder_scrape_error", gauge,
		"1 for a region that could not be read: its other samples are missing."}

	groupInfo   = metric{"larder_group_info", gauge, "What the replication group is."}
	groupStatus = metric{"larder_group_status", gauge, "Whether the replication group has the status."}
	groupNodes  = metric{"larder_group_nodes", gauge, "Nodes that the replication group shall have."}
	nodeInfo    = metric{"larder_node_info", gauge, "Zone, role and status of the node."}
	nodeUp      = metric{"larder_node_up", gauge, "Whether the node's process runs."}
	nodePrimary = metric{"larder_node_primary", gauge, "Whether the node is its shard's primary."}
	nodeInSync  = metric{"larder_node_in_sync", gauge,
		"Whether the node is a primary, or follows it with all of the data set."}
	nodeLag = metric{"larder_replication_lag_seconds", gauge,
		"For how long the replica has lacked something that its primary has."}
	nodeProcessors = metric{"larder_node_vcpus", gauge, "Processors of the node's type."}
	alarmState     = metric{"larder_alarm_state", gauge, "Whether the CloudWatch alarm is in the state."}
)

// group puts what is known of a replication group and of its nodes on the page.
func (e *Exporter) group(p *page, rg cache.Topology, observed plan.Observed, readings map[string]nodestats.Reading) {
	l := pairs("namespace", rg.ID)
	p.add(groupInfo, l.with("engine_version", rg.EngineVersion, "node_type", rg.NodeType), 1)
	for _, s := range cache.Statuses {
		p.flag(groupStatus, l.with("status", string(s)), s == rg.Status)
	}
	p.add(groupNodes, l, float64(rg.Nodes()))
	for shard, m := range rg.Members() {
		l := pairs("namespace", rg.ID, "pod", m.ID, "instance", m.ID)
		e.member(p, l, shard, *m, observed)
		r, runs := readings[m.ID]
		p.flag(nodeUp, l, runs)
		if runs {
			e.node(p, l, r)
			continue
		}
		p.flag(redisUp, l, false)
		p.add(scrapeError, l.with("err", "the node does not run"), 1)
	}
}

func (e *Exporter) member(p *page, l labels, shard *cache.Shard, m cache.Member, observed plan.Observed) {
	seen := observed.Nodes[m.ID]
	p.add(nodeInfo, l.with("zone", m.Zone, "role", string(m.Role), "status", string(m.Status), "address",
		m.Address.String()), 1)
	p.flag(nodePrimary, l, m.Role == cache.Primary)
	p.flag(nodeInSync, l, plan.InSync(shard, observed, m.ID))
	if seen.Answers && seen.Role == cache.Replica {
		p.add(nodeLag, l, seen.Lag.Seconds())
	}
	p.add(nodeProcessors, l, float64(e.NodeTypes[shard.Group.NodeType].VCPU))
}

// alarmStates are CloudWatch's.
var alarmStates = []string{"ALARM", "INSUFFICIENT_DATA", "OK"}

// alarms puts the alarms on the page: those that can be read, when there are any.
func (e *Exporter) alarms(ctx context.Context, p *page, from Source) error {
	all, err := from.Alarms()
	switch {
	case err != nil && len(all) == 0:
		return err
	case err != nil:
		e.Logger.ErrorContext(ctx, "a scrape lacks alarms", "error", err)
	}
	for _, a := range all {
		for _, s := range alarmStates {
			p.flag(alarmState, pairs("alarm", a.Name, "state", s), a.State == s)
		}
	}
	return nil
}
