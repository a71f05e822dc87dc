package redisnode

import (
	"slices"
	"strings"
)

// Treatment says how larder handles a command of clients.
type Treatment string

// The treatments. TestEveryCommandHasARule fails for a command of redis-server without a rule, so that somebody
// decides.
const (
	Given   Treatment = "given"   // it works as on ElastiCache
	Bounded Treatment = "bounded" // given; a directive or a limit of the process bounds what it can cost
	// Apart commands are given; what they add to the node's own figures is read separately, so that it cannot break other
	// readings.
	Apart    Treatment = "read apart"
	Withheld Treatment = "withheld" // clients get NOPERM
)

// CommandRule is the treatment of some commands of redis-server, and the reason.
type CommandRule struct {
	Treatment Treatment
	Why       string
	Commands  []string // as in COMMAND LIST; a container includes its subcommands without a rule
}

// CommandRules is the table of the commands that clients may send. The access rules of their user are generated from
// it.
var CommandRules = []CommandRule{
	{Withheld, "ElastiCache withholds it", words(`
		acl|setuser acl|load acl|save acl|deluser bgrewriteaof bgsave config debug migrate psync replicaof save
		shutdown slaveof sync cluster|addslots cluster|addslotsrange cluster|bumpepoch cluster|delslots
		cluster|delslotsrange cluster|failover cluster|flushslots cluster|forget cluster|links cluster|meet
		cluster|setslot cluster|replicate cluster|reset cluster|saveconfig cluster|set-config-epoch`)},
	{Withheld, "it shows larder's own users and the hashes of all passwords, the next token's among them, which " +
		"ElastiCache leaves out and redis-server cannot", words("acl|getuser acl|list acl|users")},
	{Withheld, "it changes who is primary behind the engine's back", words("failover")},
	{Withheld, "it loads code into the server", words("module")},
	{Withheld, "a client that poses as a replica holds the replication stream, and what it acknowledges counts",
		words("replconf")},
	{Withheld, "it takes a client out of maxmemory-clients, which bounds what all clients together hold",
		words("client|no-evict")},
	{Withheld,
		"PAUSE holds back larder's commands too, UNPAUSE among them: the engine ends a paused primary as one that " +
			"hangs, and " +
			"nothing reaches the last node before the pause is over; UNPAUSE ends a pause of writes that a " +
			"switchover needs",
		words("client|pause client|unpause")},
	{Withheld,
		"SYNC stops the server, and the engine replaces a node that does not answer; YES forks it, and the " +
			"forks outlive it",
		words("script|debug")},

	{Bounded,
		"a damaged payload with a right checksum would end the server: sanitize-dump-payload has it looked through",
		words("restore restore-asking")},
	{Bounded,
		"redis.log writes to node.log, of which a limit on the size of files keeps at most 5 MiB on the disk; a " +
			"script that runs for " +
			"longer than the busy limit is ended; the process may take only so much memory",
		words("eval eval_ro evalsha evalsha_ro fcall fcall_ro function|load function|restore")},
	{Bounded, "it compares in a table of the product of both lengths, which proto-max-bulk-len bounds", words("lcs")},
	{Bounded, "a copy is held for each client that does not read it: client-output-buffer-limit ends one, " +
		"and maxmemory-clients many",
		words("monitor subscribe psubscribe ssubscribe")},
	{Bounded,
		"its answer may be larger than all data, however small these are: client-output-buffer-limit ends its client",
		words("hrandfield srandmember zrandmember")},

	{Apart, "failed log-ins and denied commands are entries of ACL LOG, which holds what clients sent at any length",
		words("auth hello acl|log")},
	{Apart, "an entry of the slow log holds its client's name, of any length",
		words("client|setname slowlog slowlog|get slowlog|help slowlog|len slowlog|reset")},

	{Bounded, "it ends connections, larder's own and replication's among them, which are made again; from clients " +
		"that do so " +
		"again and again it is withheld for a while (Shield)",
		words("client|kill")},
	{Given, "it ends a client's wait; larder, which waits for acknowledgements so, waits on", words("client|unblock")},
	{Given, "it is about its own connection", words(`
		asking client client|caching client|getname client|getredir client|help client|id client|info client|list
		client|reply client|tracking client|trackinginfo discard echo exec multi ping punsubscribe
		quit readonly readwrite reset select sunsubscribe unsubscribe unwatch watch`)},
	{Given, "it tells of the server", words(`
		acl acl|cat acl|dryrun acl|genpass acl|help acl|whoami cluster
		cluster|count-failure-reports cluster|countkeysinslot cluster|getkeysinslot cluster|help cluster|info
		cluster|keyslot cluster|myid cluster|nodes cluster|replicas cluster|shards cluster|slaves cluster|slots command
		command|count command|docs command|getkeys command|getkeysandflags command|help command|info command|list
		dbsize function function|dump function|help function|list function|stats info lastsave latency latency|doctor
		latency|graph latency|help latency|histogram latency|history latency|latest latency|reset lolwut memory
		memory|doctor memory|help memory|malloc-stats memory|purge memory|stats memory|usage object object|encoding
		object|freq object|help object|idletime object|refcount pfdebug pfselftest pubsub pubsub|channels pubsub|help
		pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub role script script|exists script|help time
		wait`)},
	{Given, "it ends a script, or forgets scripts, which the engine does too", words(
		"function|delete function|flush function|kill script|flush script|kill script|load")},
	{Given, "it takes no more than the node's data: the busy limit and maxmemory are for all alike", words(`
		append bitcount bitfield bitfield_ro bitop bitpos blmove blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin
		copy decr decrby del dump exists expire expireat expiretime flushall flushdb geoadd geodist geohash geopos
		georadius georadius_ro georadiusbymember georadiusbymember_ro geosearch geosearchstore get getbit getdel getex
		getrange getset hdel hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hscan hset hsetnx hstrlen
		hvals incr incrby incrbyfloat keys lindex linsert llen lmove lmpop lpop lpos lpush lpushx lrange lrem lset
		ltrim mget move mset msetnx persist pexpire pexpireat pexpiretime pfadd pfcount pfmerge psetex pttl publish
		randomkey rename renamenx rpop rpoplpush rpush rpushx sadd scan scard sdiff sdiffstore set setbit setex setnx
		setrange sinter sintercard sinterstore sismember smembers smismember smove sort sort_ro spop spublish srem
		sscan strlen substr sunion sunionstore swapdb touch ttl type unlink xack xadd xautoclaim xclaim xdel xgroup
		xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|help xgroup|setid xinfo
		xinfo|consumers xinfo|groups xinfo|help xinfo|stream xlen xpending xrange xread xreadgroup xrevrange xsetid
		xtrim zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop zmscore zpopmax
		zpopmin zrange zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore
		zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion zunionstore`)},
}

func words(text string) []string { return strings.Fields(text) }

// RuleOf returns the rule of a command or a subcommand such as "client|pause", and false if there is none. A subcommand
// without a rule gets the rule of its container only if all of the container is withheld.
func RuleOf(command string) (CommandRule, bool) {
	if r, ok := ruleNaming(command); ok {
		return r, true
	}
	container, _, sub := strings.Cut(command, "|")
	if r, ok := ruleNaming(container); ok && (!sub || r.Treatment == Withheld) {
		return r, true
	}
	return CommandRule{}, false
}

func ruleNaming(command string) (CommandRule, bool) {
	i := slices.IndexFunc(CommandRules, func(r CommandRule) bool { return slices.Contains(r.Commands, command) })
	if i < 0 {
		return CommandRule{}, false
	}
	return CommandRules[i], true
}

// Restricted lists the commands that clients may not run.
var Restricted = withheldCommands()

func withheldCommands() (out []string) {
	for _, r := range CommandRules {
		if r.Treatment == Withheld {
			out = append(out, r.Commands...)
		}
	}
	return out
}

// denials returns the access rules that withhold commands. They follow the user's own rules, because the last rule
// wins.
func denials() []string {
	var out []string
	for _, command := range Restricted {
		out = append(out, "-"+command)
	}
	return out
}
