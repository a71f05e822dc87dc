package sns

import (
	"larder/internal/constraint"
	"larder/internal/tagging"
)

// front is what the service's model allows. Sources: the API reference of SNS, and answers that were recorded from AWS.
// What the service says in words of its own, such as that a topic's name is none, has no rule here.
func front() *constraint.Front {
	topic, subscription, resource := []string{"TopicArn"}, []string{"SubscriptionArn"}, []string{"ResourceArn"}
	return &constraint.Front{
		Code: "ValidationError",
		Required: map[string][]string{
			"ConfirmSubscriptionInput": {"TopicArn", "Token"}, "CreateTopicInput": {"Name"}, "DeleteTopicInput": topic,
			"GetSubscriptionAttributesInput": subscription, "GetTopicAttributesInput": topic,
			"ListSubscriptionsByTopicInput": topic, "ListTagsForResourceInput": resource,
			"MessageAttributeValue": {"DataType"}, "PublishBatchInput": {"TopicArn", "PublishBatchRequestEntries"},
			"PublishBatchRequestEntry": {"Id", "Message"}, "PublishInput": {"Message"},
			"SetSubscriptionAttributesInput": {"SubscriptionArn", "AttributeName"},
			"SetTopicAttributesInput":        {"TopicArn", "AttributeName"}, "SubscribeInput": {"TopicArn", "Protocol"},
			"Tag": {"Key", "Value"}, "TagResourceInput": {"ResourceArn", "Tags"}, "UnsubscribeInput": subscription,
			"UntagResourceInput": {"ResourceArn", "TagKeys"},
		},
		Rules: constraint.Rules{
			"ResourceArn": {Least: 1, Most: 1011},
			"Tag.Key":     {Least: 1, Most: tagging.MaxKey}, "Tag.Value": {Most: tagging.MaxValue},
			"TagKeys": {Each: &constraint.Rule{Least: 1, Most: tagging.MaxKey}},
		},
	}
}
