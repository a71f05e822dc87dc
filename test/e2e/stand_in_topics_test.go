package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// paged is a call whose alarms go to the topic that stands in for that of a module that is not called.
const paged = `
module "redis" {
  source                     = "./modules/redis"
  environment                = "dev"
  redis_subnet_ids           = module.vpc.private_data_subnet_ids
  redis_security_group_id    = module.security.redis_security_group_id
  kms_key_arn                = module.kms.key_arn
  node_type                  = "cache.t3.micro"
  num_cache_nodes            = 1
  automatic_failover_enabled = false
  multi_az_enabled           = false
  alarm_sns_topic_arn        = module.sns.critical_topic_arn
`

// A new account has no topics. One that stands in for a module's is there as long as a configuration uses it.
func TestStandInTopics(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	topics := func(when string, want ...string) {
		t.Helper()
		out, err := sns.NewFromConfig(d.config()).ListTopics(t.Context(), &sns.ListTopicsInput{})
		d.check(err)
		var got []string
		for _, topic := range out.Topics {
			got = append(got, *topic.TopicArn)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s there are the topics %v, want %v", when, got, want)
		}
	}
	const critical, info = "arn:aws:sns:us-east-1:000000000000:larder-critical",
		"arn:aws:sns:us-east-1:000000000000:larder-info"
	one, both := paged+"  project_name = \"one\"\n}\n", paged+"  project_name = \"two\"\n  notification_topic_arn = "+
		"module.sns.info_topic_arn\n}\n"
	d.must("up", d.write("one.tf", one))
	topics("with one deployment", critical)
	d.must("up", d.write("two.tf", both))
	topics("with two", critical, info)
	d.must("up", d.write("two.tf", strings.Replace(both, "module.sns.", "null #", 2)))
	topics("when the other one uses none any longer", critical)
	d.must("destroy", "one-dev-redis", "--yes")
	topics("when that which uses it is gone")
}
