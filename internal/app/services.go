package app

import (
	"larder/internal/gateway"
	"larder/internal/services/elasticache"
	"larder/internal/services/secretsmanager"
	"larder/internal/services/sts"
)

// Services are the AWS services as they are declared, without anything behind them: for the list of what is served.
func Services() []gateway.Service {
	return []gateway.Service{
		elasticache.New(elasticache.Config{}).Gateway(),
		secretsmanager.New(secretsmanager.Config{}).Gateway(),
		sts.Service{}.Gateway(),
	}
}

// CompatibilityNotes is what the action tables cannot tell of docs/COMPATIBILITY.md.
const CompatibilityNotes = `
## Where larder differs from AWS in what it serves

- Endpoint addresses are loopback addresses, not names. The AWS-style names stand in the nodes' certificates beside them.
- A command that ElastiCache withholds answers NOPERM, where ElastiCache answers "unknown command".
- The parameters activedefrag, close-on-replica-write and rename-commands are served with one value each, which DescribeCacheParameters
  shows; another value is refused with the reason. A write to a replica answers READONLY and leaves the connection open.
- Snapshot and maintenance windows, retention and the notification topic are stored and described; nothing is backed up, maintained or
  published yet.
- There is one region, us-east-1, and one account, 000000000000. A request signed for another region is refused.
- Requests over 1 MiB get 413 RequestEntityTooLarge.
`
