package module

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"

	"larder/internal/catalog"
)

// TestComplaints breaks every check and rule once. Each text is what follows file and line.
func TestComplaints(t *testing.T) {
	long := strings.Repeat("x", 300)
	many := func(n int, f string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, f, i)
		}
		return b.String()
	}
	tests := []struct {
		lines []string
		want  string
	}{
		// Resources given by name, and what is let in.
		{[]string{`create_subnet_group = false`},
			`input "subnet_group_name": null is no name and create_subnet_group is false: name an existing subnet group, or ` +
				`set create_subnet_group = true`},
		{[]string{`subnet_group_name = "mine"`},
			`input "subnet_group_name": "mine" is not used while create_subnet_group is true: set create_subnet_group = ` +
				`false, or leave the name out`},
		{[]string{`create_parameter_group = false`},
			`input "parameter_group_name": null is no name and create_parameter_group is false: name an existing parameter ` +
				`group, or set create_parameter_group = true`},
		{[]string{`allowed_cidrs = ["10.0.0.0/16"]`},
			`input "allowed_cidrs": ["10.0.0.0/16"] lets nothing in without a security group of the module, which opens ` +
				`nothing in redis_security_group_id: set create_security_group = true`},
		{[]string{`allowed_cidrs = ["10.0.0.0"]`, `create_security_group = true`},
			`input "allowed_cidrs": "10.0.0.0" (element 1) is not an IPv4 network: write one such as 10.0.0.0/16`},
		{[]string{`allowed_security_group_ids = ["sg-0000000b"]`},
			`input "allowed_security_group_ids": ["sg-0000000b"] lets nothing in without a security group of the module, ` +
				`which opens nothing in redis_security_group_id: set create_security_group = true`},
		{[]string{`auth_token_update_strategy = "DELETE"`},
			`input "auth_token_update_strategy": "DELETE" takes the token away in favour of user groups, which larder has ` +
				`not: use ROTATE or SET`},
		{[]string{`auth_token_update_strategy = "NONE"`},
			`input "auth_token_update_strategy": "NONE" is not a strategy: use one of SET, ROTATE, DELETE`},
		{[]string{`auth_token_secret_recovery_window_in_days = 6`},
			`input "auth_token_secret_recovery_window_in_days": 6 is not a recovery window: use 7 to 30 days, or 0 to delete ` +
				`at once`},
		{[]string{`auth_token_secret_kms_key_arn = "alias/x"`},
			`input "auth_token_secret_kms_key_arn": "alias/x" is not the ARN of a KMS key: write ` +
				`arn:aws:kms:REGION:ACCOUNT:key/ID`},
		// Alarms and logs.
		{[]string{`enabled_alarms = ["cpus"]`},
			`input "enabled_alarms": "cpus" (element 1) is not an alarm of the module: use one of cpu, engine-cpu, memory, ` +
				`evictions, connections, replication-lag, hit-rate, network-in, network-out`},
		{[]string{`alarm_thresholds = { cpu = 101 }`},
			`input "alarm_thresholds": cpu = 101 is more than 100 percent: use 0 to 100`},
		{[]string{`alarm_thresholds = { network_in = -1 }`},
			`input "alarm_thresholds": network_in = -1 is less than 0, which no metric is: use 0 or more`},
		{[]string{`alarm_period = 90`},
			`input "alarm_period": 90 is not a period of ElastiCache's metrics: use 60 seconds or a multiple of it`},
		{[]string{`alarm_evaluation_periods = 0`},
			`input "alarm_evaluation_periods": 0 is not a number of periods: use 1 or more`},
		{[]string{`alarm_evaluation_periods = 300`},
			`input "alarm_evaluation_periods": 300 makes an alarm look back 90000 seconds, the most is one day (86400): use ` +
				`fewer or shorter periods`},
		{[]string{`alarm_ok_actions = [for n in range(6) : module.sns.info_topic_arn]`},
			`input "alarm_ok_actions": the list has 6 elements: an alarm takes up to 5 actions of a kind`},
		{[]string{`alarm_dimension_mode = "group"`},
			`input "alarm_dimension_mode": "group" is not a set of dimensions ElastiCache publishes: use one of node, member`},
		{[]string{`treat_missing_data = "bad"`},
			`input "treat_missing_data": "bad" is not a treatment: use one of breaching, notBreaching, ignore, missing`},
		{[]string{`create_log_groups = false`, `engine_log_enabled = false`},
			`input "slow_log_destination": null names no destination for the slow-log and create_log_groups is false: name a ` +
				`log group, or set create_log_groups = true`},
		{[]string{`engine_log_destination = "mine"`},
			`input "engine_log_destination": "mine" is not used while the module makes the log groups: set create_log_groups ` +
				`= false, or leave it out`},
		{[]string{`log_group_prefix = "/logs/"`},
			`input "log_group_prefix": "/logs/" is not the start of a log group's name: use letters, digits and _ - / . #, ` +
				`without a slash at the end, or null for /aws/elasticache`},
		{[]string{`cloudwatch_log_kms_key_arn = "x"`},
			`input "cloudwatch_log_kms_key_arn": "x" is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID`},
		// What each input takes.
		{[]string{`project_name =`},
			`input "project_name": the input is required and not set: add project_name = ... (Project name for resource ` +
				`naming)`},
		{[]string{`project_name = null`}, `input "project_name": null is no value for a required input: set one`},
		{[]string{`project_name = "Shop"`},
			`input "project_name": "Shop" is not a name AWS takes: start with a lower-case letter, go on with lower-case ` +
				`letters, digits and single hyphens, and end without a hyphen`},
		{[]string{`project_name = "a--b"`},
			`input "project_name": "a--b" is not a name AWS takes: start with a lower-case letter, go on with lower-case ` +
				`letters, digits and single hyphens, and end without a hyphen`},
		{[]string{`project_name = "shop-of-very-long-names-for-nothing"`},
			`input "project_name": "shop-of-very-long-names-for-nothing" makes the identifier ` +
				`shop-of-very-long-names-for-nothing-dev-redis of 45 characters, the limit is 40: shorten the project name by 5`},
		{[]string{`environment = "production"`},
			`input "environment": "production" is not an environment of the module: use one of dev, staging, prod`},
		{[]string{`redis_subnet_ids = []`, `multi_az_enabled = false`},
			`input "redis_subnet_ids": the list has 0 elements: give 1 to 20 subnet IDs`},
		{[]string{`redis_subnet_ids = [for i in range(21) : format("subnet-%08d", i)]`},
			`input "redis_subnet_ids": the list has 21 elements: give 1 to 20 subnet IDs`},
		{[]string{`redis_subnet_ids = ["subnet-0000000a", "net-1"]`},
			`input "redis_subnet_ids": "net-1" (element 2) is not a subnet ID: write subnet- and 8 or 17 hexadecimal digits`},
		{[]string{`redis_subnet_ids = ["subnet-0000000a", "subnet-0000000a"]`},
			`input "redis_subnet_ids": "subnet-0000000a" (element 2) repeats element 1: name each subnet once`},
		{[]string{`redis_subnet_ids = "subnet-0000000a"`},
			`input "redis_subnet_ids": "subnet-0000000a" does not fit the type list(string): list of string required, but ` +
				`have string`},
		{[]string{`redis_security_group_id = "default"`},
			`input "redis_security_group_id": "default" is not a security group ID: write sg- and 8 or 17 hexadecimal digits`},
		{[]string{`kms_key_arn = "arn:aws:kms:us-east-1:000000000000:alias/redis"`},
			`input "kms_key_arn": "arn:aws:kms:us-east-1:000000000000:alias/redis" is not the ARN of a KMS key: write ` +
				`arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias, which would make Terraform replace the cache`},
		{[]string{`redis_port = 0`}, `input "redis_port": 0 is less than 1, the least a TCP port can be`},
		{[]string{`redis_port = 65536`}, `input "redis_port": 65536 is more than 65535, the most a TCP port can be`},
		{[]string{`redis_port = 6379.5`},
			`input "redis_port": 6379.5 does not fit: value must be a whole number, between -9223372036854775808 and ` +
				`9223372036854775807`},
		{[]string{`redis_port = "redis"`},
			`input "redis_port": "redis" does not fit the type number: a number is required`},
		{[]string{`redis_engine_version = "7.0.7"`},
			`input "redis_engine_version": "7.0.7" is not a version to ask ElastiCache for: use one of "5.0.6", "6.0", ` +
				`"6.2", "6.x", "7.0", "7.1", in quotes and without a patch number from 6 on`},
		{[]string{`redis_engine_version = 7.0`},
			`input "redis_engine_version": "7" is not a version to ask ElastiCache for: use one of "5.0.6", "6.0", "6.2", ` +
				`"6.x", "7.0", "7.1", in quotes and without a patch number from 6 on`},
		{[]string{`node_type = "cache.t3.medum"`},
			`input "node_type": "cache.t3.medum" is not a node type larder knows; did you mean cache.t3.medium or ` +
				`cache.t4g.medium?`},
		{[]string{`node_type = "large"`},
			`input "node_type": "large" is not a node type larder knows: write one such as cache.t3.medium or cache.r6g.large`},
		{[]string{`node_type = "cache.r6gd.xlarge"`},
			`input "node_type": "cache.r6gd.xlarge" works with data tiering only, which larder does not have: use the ` +
				`cache.r6g of the same size`},
		{[]string{`num_cache_nodes = 7`},
			`input "num_cache_nodes": 7 is more than 6, the most nodes without cluster mode (1 primary and 5 replicas): for ` +
				`more set cluster_mode_enabled = true`},
		{[]string{`num_node_groups = 501`},
			`input "num_node_groups": 501 is more than 500, the most shards a replication group has`},
		{[]string{`replicas_per_node_group = 6`},
			`input "replicas_per_node_group": 6 is more than 5, the most replicas a shard has`},
		{[]string{`preferred_cache_cluster_azs = ["us-east-1a", "east"]`},
			`input "preferred_cache_cluster_azs": "east" (element 2) is not an availability zone: write a name such as ` +
				`us-east-1a`},
		{[]string{`auth_token = "short"`},
			`input "auth_token": the token (not shown) is 5 characters long: use 16 to 128, or leave it out to have one ` +
				`generated`},
		{[]string{`auth_token = "0123456789abcde@"`},
			`input "auth_token": the token (not shown) has a character at position 16 that AWS refuses: use letters, digits ` +
				`and ! & # $ ^ < > -`},
		{[]string{`auth_token = ["x"]`},
			`input "auth_token": the token (not shown) does not fit the type string: string required, but have tuple`},
		{[]string{`auth_token_length = 15`},
			`input "auth_token_length": 15 is less than 16, the least characters of a token`},
		{[]string{`auth_token_secret_name = "my secret"`},
			`input "auth_token_secret_name": "my secret" is not a secret name: use 1 to 512 letters, digits and / _ + = . @ -`},
		{[]string{`additional_security_group_ids = ["sg-1"]`},
			`input "additional_security_group_ids": "sg-1" (element 1) is not a security group ID: write sg- and 8 or 17 ` +
				`hexadecimal digits`},
		{[]string{`snapshot_retention_limit = 36`},
			`input "snapshot_retention_limit": 36 is more than 35, the most days snapshots are kept`},
		{[]string{`snapshot_window = "3:00-5:00"`},
			`input "snapshot_window": "3:00-5:00" is not of the form hh:mm-hh:mm, such as 03:00-05:00 (UTC)`},
		{[]string{`snapshot_window = "03:00-03:30"`},
			`input "snapshot_window": "03:00-03:30" is 30 minutes long: the least AWS takes is 60 minutes`},
		{[]string{`maintenance_window = "Sun:05:00-Sun:07:00"`},
			`input "maintenance_window": "Sun:05:00-Sun:07:00" is not of the form ddd:hh:mm-ddd:hh:mm in lower case, such as ` +
				`sun:05:00-sun:07:00 (UTC)`},
		{[]string{`maintenance_window = "sun:06:00-sun:06:59"`},
			`input "maintenance_window": "sun:06:00-sun:06:59" is 59 minutes long: the least AWS takes is 60 minutes`},
		{[]string{`maintenance_window = "sun:06:00-mon:06:01"`},
			`input "maintenance_window": "sun:06:00-mon:06:01" is 1441 minutes long: the most AWS takes is 24 hours (1440 ` +
				`minutes)`},
		{[]string{`maxmemory_policy = "lru"`},
			`input "maxmemory_policy": "lru" is not an eviction policy of Redis: use one of allkeys-lru, allkeys-lfu, ` +
				`allkeys-random, volatile-lru, volatile-lfu, volatile-random, volatile-ttl, noeviction`},
		{[]string{`timeout = "19"`},
			`input "timeout": "19" is less than 20 seconds, the least ElastiCache takes: use "0" to never close idle ` +
				`connections, or "20" and more`},
		{[]string{`timeout = "5m"`},
			`input "timeout": "5m" is not a whole number of seconds: use "0" to never close idle connections, or "20" and more`},
		{[]string{`notify_keyspace_events = "Ey"`},
			`input "notify_keyspace_events": "Ey" has a letter at position 2 that Redis does not know: use K E g $ l s h z x ` +
				`e t d m n A`},
		{[]string{`notify_keyspace_events = "x"`},
			`input "notify_keyspace_events": "x" has neither K nor E, so nothing would be notified: add K for keyspace ` +
				`events or E for keyevent events`},
		{[]string{`parameters = [{ name = "timeout", value = 60 }]`},
			`input "parameters": "timeout" (element 1) has an input of its own: set timeout`},
		{[]string{`parameters = [{ name = "cluster-enabled", value = "yes" }]`},
			`input "parameters": "cluster-enabled" (element 1) has an input of its own: set cluster_mode_enabled`},
		{[]string{`parameters = [{ name = "hz", value = 1 }, { name = "hz", value = 2 }]`},
			`input "parameters": "hz" (element 2) repeats element 1: name each parameter once`},
		{[]string{`parameters = [{ name = "", value = 1 }]`},
			`input "parameters": "" (element 1) is no name: name the parameter`},
		{[]string{`parameter_group_family = "redis8"`},
			`input "parameter_group_family": "redis8" is not a family of the module: use one of redis5.0, redis6.x, redis7`},
		{[]string{`alarm_sns_topic_arn = "critical"`},
			`input "alarm_sns_topic_arn": "critical" is not the ARN of an SNS topic: write arn:aws:sns:REGION:ACCOUNT:NAME, ` +
				`or null for none`},
		{[]string{`notification_topic_arn = ""`},
			`input "notification_topic_arn": "" is not the ARN of an SNS topic: write arn:aws:sns:REGION:ACCOUNT:NAME, or ` +
				`null for none`},
		{[]string{`cloudwatch_log_retention_days = 2`},
			`input "cloudwatch_log_retention_days": 2 is not a number of days CloudWatch Logs takes: use one of 0 1 3 5 7 14 ` +
				`30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653`},
		{[]string{`log_format = "xml"`}, `input "log_format": "xml" is not a log format: use one of json, text`},
		{[]string{`description = " "`},
			`input "description": " " is empty, which AWS refuses: describe the group, or leave it out`},
		{[]string{`tags = { "aws:x" = "1" }`},
			`input "tags": "aws:x" (a key) starts with aws:, which AWS keeps for itself: use another prefix`},
		{[]string{`tags = { "" = "1" }`}, `input "tags": "" (a key) has 0 characters: use 1 to 128`},
		{[]string{`tags = { "a*" = "1" }`},
			`input "tags": "a*" (a key) has a character AWS refuses: use letters, digits, spaces and + - = . _ : / @`},
		{[]string{`tags = { a = "*" }`},
			`input "tags": "a" has a value with a character AWS refuses: use letters, digits, spaces and + - = . _ : / @`},
		{[]string{`tags = { a = "` + long + `" }`}, `input "tags": "a" has a value of 300 characters: use at most 256`},

		// Rules across inputs.
		{[]string{`cluster_mode_enabled = true`, `automatic_failover_enabled = false`, `multi_az_enabled = false`},
			`input "cluster_mode_enabled": true needs automatic failover: set automatic_failover_enabled = true`},
		{[]string{`cluster_mode_enabled = true`, `num_node_groups = 251`},
			`input "num_node_groups": 251 shards with 1 replicas each are 502 nodes, the most is 500: use fewer shards or ` +
				`replicas`},
		{[]string{`num_cache_nodes = 1`, `multi_az_enabled = false`},
			`input "automatic_failover_enabled": true needs at least 2 nodes and num_cache_nodes is 1: raise it, or set ` +
				`automatic_failover_enabled = false`},
		{[]string{`automatic_failover_enabled = false`},
			`input "multi_az_enabled": true needs automatic failover: set automatic_failover_enabled = true, or ` +
				`multi_az_enabled = false`},
		{[]string{`cluster_mode_enabled = true`, `replicas_per_node_group = 0`},
			`input "multi_az_enabled": true needs a replica in another zone: raise replicas_per_node_group by one, or set ` +
				`multi_az_enabled = false`},
		{[]string{`redis_subnet_ids = ["subnet-0000000a"]`},
			`input "multi_az_enabled": true needs subnets in 2 zones and redis_subnet_ids has 1 subnet: add one in another ` +
				`zone, or set multi_az_enabled = false`},
		{[]string{`cluster_mode_enabled = true`, `preferred_cache_cluster_azs = ["us-east-1a", "us-east-1b"]`},
			`input "preferred_cache_cluster_azs": ["us-east-1a","us-east-1b"] cannot be chosen in cluster mode, where AWS ` +
				`spreads the shards: leave it out`},
		{[]string{`preferred_cache_cluster_azs = module.vpc.availability_zones`},
			`input "preferred_cache_cluster_azs": ["us-east-1a","us-east-1b","us-east-1c"] names 3 zones for 2 nodes: name ` +
				`one for each of num_cache_nodes, with slice() to take the first few of a longer list`},
		{[]string{`preferred_cache_cluster_azs = ["us-east-1a", "us-east-1a"]`},
			`input "preferred_cache_cluster_azs": ["us-east-1a","us-east-1a"] names one zone only, and Multi-AZ needs 2: ` +
				`name another, or set multi_az_enabled = false`},
		{[]string{`transit_encryption_enabled = false`},
			`input "auth_token_enabled": true needs TLS, or the token would cross the network in the clear: set ` +
				`transit_encryption_enabled = true, or auth_token_enabled = false`},
		{[]string{`generate_auth_token = false`},
			`input "auth_token": the token (not shown) is empty and generate_auth_token is false: give a token of 16 to 128 ` +
				`characters, or set generate_auth_token = true`},
		{[]string{`snapshot_retention_limit = 0`},
			`input "snapshot_retention_limit": 0 keeps no snapshot and enable_snapshots is true: keep them 1 to 35 days, or ` +
				`set enable_snapshots = false`},
		{[]string{`snapshot_window = "04:30-05:30"`},
			`input "snapshot_window": "04:30-05:30" overlaps maintenance_window "sun:05:00-sun:07:00", which AWS refuses ` +
				`even without snapshots: move one of them`},
		{[]string{`snapshot_window = "23:30-00:30"`, `maintenance_window = "wed:00:00-wed:01:00"`},
			`input "snapshot_window": "23:30-00:30" overlaps maintenance_window "wed:00:00-wed:01:00", which AWS refuses ` +
				`even without snapshots: move one of them`},
		{[]string{`parameter_group_family = "redis6.x"`},
			`input "parameter_group_family": "redis6.x" is not the family of redis_engine_version "7.0", which is redis7: ` +
				`leave it out to follow the version`},
		{[]string{`redis_engine_version = "5.0.6"`, `engine_log_enabled = false`},
			`input "slow_log_enabled": true needs redis_engine_version 6.0 or later and it is "5.0.6": set slow_log_enabled ` +
				`= false`},
		{[]string{`redis_engine_version = "6.0"`},
			`input "engine_log_enabled": true needs redis_engine_version 6.2 or later and it is "6.0": set ` +
				`engine_log_enabled = false`},
		{[]string{`tags = {` + many(48, "k%d = 1, ") + `}`},
			`input "tags": {"k0":"1","k1":"1","k10":"1","k11":"1","k12":"1","k13":"1","k14":"1","k15":"1","... and the ` +
				`module's own make 51 tags, the most on a resource is 50: drop 1`},

		// Warnings.
		{[]string{`redis_port = 80`},
			`warning: input "redis_port": 80 is below 1024: only root may listen there on one machine; use 1024 to 65535`},
		{[]string{`node_type = "cache.t3.large"`},
			`warning: input "node_type": "cache.t3.large" does not exist on AWS, where an apply would fail: use ` +
				`cache.t3.medium or cache.m6g.large; here it runs with the 6.38 GiB of cache.m6g.large`},
		{[]string{`cluster_mode_enabled = true`, `num_node_groups = 46`},
			`warning: input "num_node_groups": 46 shards with 1 replicas each are 92 nodes, an AWS account gets 90: ask for ` +
				`a higher quota before you apply there`},
		{[]string{`auth_token_enabled = false`, `auth_token = "0123456789abcdef"`},
			`warning: input "auth_token": the token (not shown) is not used, because auth_token_enabled is false`},
		{[]string{`cluster_mode_enabled = true`, `enable_snapshots = false`},
			`warning: input "snapshot_retention_limit": 7 is not in effect, and Terraform cannot switch snapshots on later ` +
				`in cluster mode: set enable_snapshots = true and keep them at least 1 day`},

		// Names and arguments.
		{[]string{`num_cache_node = 2`}, `the module has no input "num_cache_node"; did you mean num_cache_nodes?`},
		{[]string{`count = 2`}, `2 calls of the redis module, of which one is asked for: name one of redis[0], redis[1]`},
		{[]string{`for_each = {}`}, `no call of the redis module: count or for_each stands for none`},
		{[]string{`engine = "valkey"`},
			`input "engine": "valkey" is not supported: larder runs redis; remove the input or set its default, "redis"`},
		{[]string{`user_group_ids = ["admins"]`},
			`input "user_group_ids": ["admins"] is not supported: larder has no users and user groups, only the auth token; ` +
				`remove the input or set its default, []`},
		{[]string{`final_snapshot_identifier = "Last"`},
			`input "final_snapshot_identifier": "Last" is not the name of a snapshot: use 1 to 40 lower-case letters, digits ` +
				`and single hyphens, a letter first and no hyphen last`},
		{[]string{`final_snapshot_identifier = "last"`, `skip_final_snapshot = true`},
			`input "final_snapshot_identifier": "last" is not used, because no final snapshot is taken: set enable_snapshots ` +
				`= true and skip_final_snapshot = false, or leave it out`},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.lines, ","), func(t *testing.T) {
			got := complaints(t, writeFiles(t, "main.tf", block(tt.lines...)), Vars{})
			if len(got) != 1 {
				t.Fatalf("complaints are\n%s\nwant one", strings.Join(got, "\n"))
			}
			if _, text, _ := strings.Cut(got[0], ": "); text != tt.want {
				t.Errorf("complaint is (-want +got):\n%s", cmp.Diff(tt.want, text))
			}
		})
	}
}

func TestUnsupportedInputsMayHoldTheirDefault(t *testing.T) {
	mustLoad(t, block(`engine = "redis"`, `user_group_ids = []`, `snapshot_name = null`, `create = true`,
		`timeouts = null`, `users = {}`,
		`auth_token_secret_recovery_window_in_days = 7`))
}

func TestEveryUnsupportedInputIsRefused(t *testing.T) {
	for _, in := range Table() {
		if in.Unsupported == "" {
			continue
		}
		value := `"other"`
		switch name := typeName(in.Type); name {
		case "bool":
			value = "!" + render(in.Default)
		case "number":
			value = "12345"
		case "list(string)":
			value = `["x"]`
		case "map(any)":
			value = `{ x = "y" }`
		}
		got := complaints(t, writeFiles(t, "main.tf", block(in.Name+" = "+value)), Vars{})
		if len(got) != 1 || !strings.Contains(got[0], `input "`+in.Name+`": `) ||
			!strings.Contains(got[0], in.Unsupported) {
			t.Errorf("%s = %s gives %v, want it refused because %s", in.Name, value, got, in.Unsupported)
		}
	}
}

func TestAllProblemsAtOnceInOrder(t *testing.T) {
	text := block(`num_cache_nodes = 9`, `timeout = "1"`, `nonsense = 1`, `redis_port = 0`, `kms_key_arn =`)
	want := []string{
		`main.tf:1: input "kms_key_arn": the input is required and not set: add kms_key_arn = ... (KMS key ARN for ` +
			`encryption)`,
		`main.tf:7: input "num_cache_nodes": 9 is more than 6, the most nodes without cluster mode (1 primary and 5 ` +
			`replicas): for more set cluster_mode_enabled = true`,
		`main.tf:8: input "timeout": "1" is less than 20 seconds, the least ElastiCache takes: use "0" to never close ` +
			`idle connections, or "20" and more`,
		`main.tf:9:3: the module has no input "nonsense"`,
		`main.tf:10: input "redis_port": 0 is less than 1, the least a TCP port can be`,
	}
	if diff := cmp.Diff(want, complaints(t, writeFiles(t, "main.tf", text), Vars{})); diff != "" {
		t.Errorf("complaints (-want +got):\n%s", diff)
	}
}

func TestHasErrors(t *testing.T) {
	_, diags := load("testdata/seed/staging.tf", Vars{})
	if len(diags) == 0 || diags.HasErrors() {
		t.Errorf("warnings alone stop the call: %v", diags)
	}
	dir := writeFiles(t, "main.tf", block(`redis_port = 0`, `timeout = 1`, `node_type = "cache.t3.large"`))
	_, diags = load(dir, Vars{})
	if len(diags) != 3 || !diags.HasErrors() {
		t.Errorf("two errors beside a warning do not stop the call: %v", diags)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	const secret = "hunter2hunter2@@"
	uses := []string{
		`auth_token = var.secret`, `auth_token = "x${var.secret}"`, `description = jsondecode(var.secret)`,
		`redis_port = var.secret`,
		`node_type = var.secret`, `project_name = var.secret`, `tags = { "*${var.secret}" = "x" }`,
		`tags = { x = "*${var.secret}" }`,
		`maxmemory_policy = var.secret`, `snapshot_window = var.secret`,
		`parameters = [{ name = "timeout", value = var.secret }]`,
		`user_group_ids = [var.secret]`, `redis_subnet_ids = [var.secret]`, `timeout = local.copy`,
		`timeout = parseint(var.secret, 10)`,
	}
	undeclared := writeFiles(t, "main.tf", block(`auth_token = parseint(var.secret, 10)`))
	if _, diags := load(undeclared, Vars{Args: []VarArg{{Name: "secret", Value: secret}}}); !diags.HasErrors() ||
		strings.Contains(diags.String(), secret) {
		t.Errorf("an undeclared variable used as auth_token gives %v", diags)
	}
	head := "variable \"secret\" {\n type = string\n sensitive = true\n}\nlocals {\n copy = lower(var.secret)\n}\n"
	for _, use := range uses {
		dir := writeFiles(t, "main.tf", head+block(use))
		call, diags := load(dir, Vars{Args: []VarArg{{Name: "secret", Value: secret}}})
		if !diags.HasErrors() {
			t.Errorf("%s: the value is not refused", use)
		}
		if shown := fmt.Sprintf("%v %+v %#v", diags, diags, call); strings.Contains(shown, "hunter2") {
			t.Errorf("%s: the secret is in %s", use, shown)
		}
	}
}

func TestSecretFormatsHidden(t *testing.T) {
	call := mustLoad(t, block(`auth_token = "0123456789abcdef"`))
	raw, err := json.Marshal(call.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %#v %s %q %s", call.Inputs, call.Inputs, call.Inputs, call.Inputs.AuthToken,
		call.Inputs.AuthToken, raw); strings.Contains(s, "0123456789abcdef") {
		t.Errorf("the token is in %s", s)
	}
	if string(call.Inputs.AuthToken) != "0123456789abcdef" {
		t.Errorf("the token is %q", string(call.Inputs.AuthToken))
	}
}

// A token is taken exactly when it has 16 to 128 characters of the allowed ones.
func TestTokenCharset(t *testing.T) {
	allowed := "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + catalog.AuthTokenSpecials
	rapid.Check(t, func(t *rapid.T) {
		good := rapid.StringOfN(rapid.RuneFrom([]rune(allowed)), 16, 128, -1).Draw(t, "token")
		if p := token(Secret(good)); p != nil {
			t.Fatalf("%q is refused: %v", good, p)
		}
		other := rapid.Rune().Filter(func(r rune) bool { return !strings.ContainsRune(allowed, r) }).Draw(t, "other")
		at := rapid.IntRange(0, len(good)-1).Draw(t, "at")
		broken := good[:at] + string(other) + good[at+1:]
		p := token(Secret(broken))
		if want := fmt.Sprintf("position %d ", at+1); len(p) != 1 || !strings.Contains(p[0].text, want) {
			t.Fatalf("%q gives %v, want one problem at %s", broken, p, want)
		}
	})
}

func TestDefaults(t *testing.T) {
	call := mustLoad(t, block())
	want := map[string]any{
		"port": 6379, "nodes": 2, "retention": 7, "family": "redis7", "secret": "shop/dev/redis", "generated": true,
		"length": 64,
	}
	in := call.Inputs
	got := map[string]any{
		"port": in.RedisPort, "nodes": in.NumCacheNodes, "retention": in.retention(), "family": in.family(),
		"secret":    in.secretName(),
		"generated": call.GeneratedToken, "length": in.AuthTokenLength,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if null := mustLoad(t, block(`redis_port = null`, `tags = null`,
		`timeout = null`)); null.Inputs.RedisPort != 6379 || null.Inputs.Timeout != "0" {
		t.Errorf("null does not ask for the default: %+v", null.Inputs)
	}
}

func TestTableIsWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, in := range Table() {
		if in.Name == "" || in.Description == "" || seen[in.Name] {
			t.Errorf("input %q is unnamed, undescribed or twice in the table", in.Name)
		}
		seen[in.Name] = true
		if in.Required != (in.Default == cty.NilVal) {
			t.Errorf("input %q is required %v and has the default %#v", in.Name, in.Required, in.Default)
		}
		if in.Unsupported == "" && (in.decode == nil || in.check == nil) {
			t.Errorf("input %q cannot be decoded", in.Name)
		}
	}
}
