package module

import (
	"fmt"
	"strings"
)

// FinalSnapshot is the snapshot that the deletion of a group takes.
type FinalSnapshot struct {
	Name   string // empty: none
	MadeUp bool   // Name wants an ending, after a hyphen, that makes it unique: the snapshot outlives the group
}

// FinalSnapshot tells which snapshot the deletion of the call's group takes.
func (c *Call) FinalSnapshot() FinalSnapshot {
	switch in := &c.Inputs; {
	case !in.finalSnapshot():
		return FinalSnapshot{}
	case in.FinalSnapshotIdentifier != nil:
		return FinalSnapshot{Name: *in.FinalSnapshotIdentifier}
	default:
		return FinalSnapshot{Name: in.snapshotPrefix() + "-final", MadeUp: true}
	}
}

func (in *Inputs) finalSnapshot() bool { return in.EnableSnapshots && !in.SkipFinalSnapshot }

// snapshotPrefix leaves room for what makes a snapshot's name unique: AWS takes 40 characters, and no two hyphens
// together.
func (in *Inputs) snapshotPrefix() string {
	id := in.replicationGroupID()
	return strings.TrimSuffix(id[:min(25, len(id))], "-")
}

// snapshots are the outputs about snapshots. GROUP and SNAPSHOT are the shell's variables.
func (v view) snapshots() []Output {
	var final any
	if v.access.FinalSnapshot != "" {
		final = v.access.FinalSnapshot
	}
	create := fmt.Sprintf(`aws elasticache create-snapshot --replication-group-id %s --snapshot-name "%s-$(date -u `+
		`+%%Y%%m%%d%%H%%M%%S)"`, v.in.replicationGroupID(), v.in.snapshotPrefix())
	return []Output{
		{Name: "final_snapshot_identifier", Value: final,
			Description: "Name of the snapshot that a destroy takes; null when it takes none"},
		{Name: "snapshot_create_command", Value: create, Description: "Command to take a snapshot now"},
		{Name: "snapshot_restore_command", Value: v.restore(),
			Description: "Command to start another group, GROUP, from the snapshot SNAPSHOT; " +
				"a given token that is kept in no secret is read from REDIS_AUTH_TOKEN"},
	}
}

// tokenAsJSON is the command that prints the token as a field of a request: on a command line it would be there for
// every user of the machine to see. The AWS CLI reads its input twice, so it has to be a file.
func (v view) tokenAsJSON() string {
	switch {
	case v.access.Local:
		return v.tokenCommand() + " | jq -R '{AuthToken: .}'"
	case v.secretARN != nil:
		return fmt.Sprintf("aws secretsmanager get-secret-value --secret-id '%s' --query SecretString --output text | jq "+
			"'{AuthToken: .auth_token}'", v.in.secretName())
	}
	return "jq -n '{AuthToken: env.REDIS_AUTH_TOKEN}'"
}

// restore is the command that starts another group from a snapshot.
func (v view) restore() string {
	in, words := v.in, []string{}
	add := func(asked bool, word string, args ...any) {
		if asked {
			words = append(words, fmt.Sprintf(word, args...))
		}
	}
	add(in.AuthTokenEnabled, `(f=$(mktemp) && trap 'rm -f "$f"' EXIT && %s > "$f" &&`, v.tokenAsJSON())
	add(true, "aws elasticache create-replication-group")
	add(in.AuthTokenEnabled, `--cli-input-json "file://$f"`)
	add(true, `--replication-group-id "${GROUP:?set it to the name of the new group}"`)
	add(true, `--snapshot-name "${SNAPSHOT:?set it to the name of the snapshot}"`)
	add(true, "--replication-group-description 'Restored from %s'", in.replicationGroupID())
	add(true, "--engine redis --engine-version %s --cache-node-type %s --port %d", in.RedisEngineVersion, in.NodeType,
		in.RedisPort)
	add(true, "--cache-parameter-group-name %s --cache-subnet-group-name %s", parameterGroupName(in),
		subnetGroupName(in))
	add(true, "--security-group-ids %s", strings.Join(securityGroups(in, v.observed.Known().SecurityGroupID), " "))
	add(in.ClusterModeEnabled, "--num-node-groups %d --replicas-per-node-group %d", in.NumNodeGroups,
		in.ReplicasPerNodeGroup)
	add(!in.ClusterModeEnabled, "--num-cache-clusters %d", in.NumCacheNodes)
	add(in.AutomaticFailoverEnabled, "--automatic-failover-enabled")
	add(!in.AutomaticFailoverEnabled, "--no-automatic-failover-enabled")
	add(in.MultiAZEnabled, "--multi-az-enabled")
	add(in.TransitEncryptionEnabled, "--transit-encryption-enabled")
	if key := in.kmsKey(); key != nil {
		add(true, "--at-rest-encryption-enabled --kms-key-id %s", *key)
	}
	add(in.AuthTokenEnabled, ")")
	return strings.Join(words, " ")
}
