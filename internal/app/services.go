package app

import (
	"larder/internal/gateway"
	"larder/internal/services/cloudwatch"
	"larder/internal/services/ec2"
	"larder/internal/services/elasticache"
	"larder/internal/services/kms"
	"larder/internal/services/logs"
	"larder/internal/services/secretsmanager"
	"larder/internal/services/sns"
	"larder/internal/services/sts"
	"larder/internal/standin"
)

// Services are the AWS services as they are declared, without anything behind them: for the list of what is served.
func Services() []gateway.Service {
	return []gateway.Service{
		elasticache.New(elasticache.Config{}).Gateway(),
		ec2.New(ec2.Config{}).Gateway(),
		kms.New(kms.Config{}).Gateway(),
		sns.New(sns.Config{}).Gateway(),
		cloudwatch.New(cloudwatch.Config{}).Gateway(),
		logs.New(logs.Config{}).Gateway(),
		secretsmanager.New(secretsmanager.Config{}).Gateway(),
		sts.Service{}.Gateway(),
	}
}

// makeStandIns makes the key and the topics that deployments stand on where nobody made others.
func makeStandIns(s standin.StandIns, keys *kms.Service, topics *sns.Service) error {
	if err := keys.Ensure(s.KMSKeyARN, "Stand-in for module.kms"); err != nil {
		return err
	}
	for _, arn := range []string{s.CriticalTopicARN, s.WarningTopicARN, s.InfoTopicARN} {
		if err := topics.Ensure(arn); err != nil {
			return err
		}
	}
	return nil
}

// CompatibilityNotes is what the action tables cannot tell of docs/COMPATIBILITY.md.
const CompatibilityNotes = `
## Where larder differs from AWS in what it serves

- Endpoint addresses are loopback addresses, not names. The AWS-style names stand in the nodes' certificates beside them.
- A command that ElastiCache withholds answers NOPERM, where ElastiCache answers "unknown command".
- The parameters activedefrag, close-on-replica-write and rename-commands are served with one value each, which DescribeCacheParameters
  shows; another value is refused with the reason. A write to a replica answers READONLY and leaves the connection open.
- Snapshots are taken when they are asked for, and with a deletion. Snapshot windows and retention are stored and described; nothing
  is backed up by itself yet. The maintenance window is kept: changes that were not asked for at once
  are made in it.
- A snapshot of a replication group is one of its primary. Of the 20 manual snapshots that a node may have in 24 hours, those that were
  deleted don't count. A group that is being deleted stays until its final snapshot is there, and ` + "`larder status`" + ` says what is in the
  way; the snapshot fails when no node is left that has the data, and the group goes.
- Nodes' metrics are published in AWS/ElastiCache under CacheClusterId, CacheClusterId with CacheNodeId, and without dimensions, as on AWS, and
  all of them under ReplicationGroupId too (over all of the group's nodes; EngineCPUUtilization also by Role), where AWS has three.
  OPERATIONS.md lists the metrics that are not published. Those without dimensions have percentiles up to 16 nodes. CacheHitRate is a percentage of
  the interval's lookups, missing when there were none. CPUUtilization, FreeableMemory, SwapUsage and the network's bytes are the
  process's: nodes share a host here. Of a node whose server does not answer within a second, CPUUtilization, EngineCPUUtilization,
  FreeableMemory and SwapUsage are published all the same; the other metrics of that minute are missing. Metrics are kept for 15 days in whole minutes, seconds for at least 3 hours;
  where groups came and went so often that there are 95,000 metrics, those of nodes that ended longest ago go earlier. Percentiles and the like are exact up to 150 distinct values a minute,
  then within 0.4 %. A percentile is the smallest value that so many do not exceed.
- Alarms are evaluated at whole minutes, those with a Period of 10, 20 or 30 at every tenth second, on a range of two points more than
  EvaluationPeriods. EvaluationState is never set, and PutMetricAlarm has no bound of 120 KB but the one of every request. An alarm keeps
  its newest 1,000 items of history. Metric math works out 3,000,000 points for one request at most, those
  that its expressions look at on the way included.
- Logs are read from the nodes once a second. A delivery reads error, with a Message, while its log group is gone or its key cannot be used; it
  begins with what was logged since it was turned on. What larder itself asks of a node is not in its slow log, but for the checks
  of endpoints that it makes over TCP. A slow log entry that its node drops (slowlog-max-len) or dies with before it is read is lost, as on
  AWS. Logs are delivered to CloudWatch Logs only.
- A group's notification topic is told of creation, deletion, failover, replacement, reboots, parameters, snapshots, and changes of node
  type and replica count, as {"ElastiCache:NAME": "SOURCE"}. FailoverComplete is published where the event list says "Failover from
  primary node … completed".
- There is one region, us-east-1, and one account, 000000000000. A request signed for another region is refused.
- Log events take 1 GiB on disk at most, compressed, over all log groups: the oldest go first. A deleted log stream's events go with the
  files that hold them. ` + "`aws logs tail`" + `, which polls FilterLogEvents, works, and
  so does StartLiveTail; its clients ask a host whose name begins with stream-, unless AWS_DISABLE_HOST_PREFIX_INJECTION is set, as
  ` + "`larder env`" + ` does for the AWS CLI and boto3, or the program disables the prefix (in Go, smithyhttp.DisableEndpointHostPrefix).
- SNS delivers to HTTP and HTTPS endpoints, and mails into a mailbox in Maildir form for each address, in the folder mail of the state
  directory; no mail leaves the machine. Either kind has to confirm as on AWS: by the link in the message or mail, which needs no signature
  (` + "`curl`" + ` does). An endpoint may be any address that this machine reaches. An HTTPS endpoint's certificate must be one that the
  machine trusts. 1,000 messages wait for one subscriber at most.
- Requests over 1 MiB, over 7 MiB to CloudWatch Logs and over 1.75 MiB to SNS, get 413 RequestEntityTooLarge.
`
