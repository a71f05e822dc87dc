package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/servicetest"
	"larder/internal/testkit"
)

// awsAnswer is a call, and what AWS answers to it. The answers were recorded from AWS in LocalStack's validated
// snapshots and in moto's tests, or stand in AWS's documentation; UUID, ID and TIME stand for what differs each time.
type awsAnswer struct {
	service, action string
	asked           string // JSON, or a form, in which VPC stands for the VPC that was answered last
	want            string // the status but for 200, and the whole answer without its envelope
}

// awsAnswers are by the kind of difference that larder once had from AWS. They are asked in their order, of one engine
// in a new home.
func awsAnswers() map[string][]awsAnswer {
	const topic = "arn:aws:sns:us-east-1:000000000000:mine"
	group := "arn:aws:logs:us-east-1:000000000000:log-group:mine:*"
	violation := func(value, member, rule string) string {
		return `1 validation error detected: Value '` + value + `' at '` + member +
			`' failed to satisfy constraint: Member must ` + rule
	}
	invalid := func(code, message string) string { return `400 {"__type":"` + code + `","message":"` + message + `"}` }
	refused := func(code, message string) string {
		return "400 <Type>Sender</Type><Code>" + code + "</Code><Message>" + message + "</Message>"
	}
	long := strings.Repeat("X", 513)
	var tags []string
	for i := range 51 {
		tags = append(tags, fmt.Sprintf(`{"TagKey":"%d","TagValue":""}`, i))
	}
	return map[string][]awsAnswer{
		"01 lists of SNS that are empty": {
			{"sns", "ListTopics", "", "<Topics></Topics>"},
			{"sns", "ListSubscriptions", "", "<Subscriptions></Subscriptions>"},
			{"sns", "CreateTopic", "Name=mine&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=b&" +
				"Tags.member.2.Value=2",
				"<TopicArn>" + topic + "</TopicArn>"},
			{"sns", "ListSubscriptionsByTopic", "TopicArn=" + topic, "<Subscriptions></Subscriptions>"},
			{"sns", "PublishBatch", "TopicArn=" + topic +
				"&PublishBatchRequestEntries.member.1.Id=1&PublishBatchRequestEntries.member.1.Message=x",
				"<Failed></Failed><Successful><member><Id>1</Id><MessageId>UUID</MessageId></member></Successful>"},
		},
		"02 a topic that is there": {
			{"sns", "CreateTopic", "Name=mine&Tags.member.1.Key=a&Tags.member.1.Value=1",
				"<TopicArn>" + topic + "</TopicArn>"},
			{"sns", "CreateTopic", "Name=mine&Tags.member.1.Key=c&Tags.member.1.Value=1",
				refused("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")},
		},
		"03 filters of secrets": {
			{"secretsmanager", "CreateSecret",
				`{"Name":"mine","Description":"two and one","SecretString":"x","ClientRequestToken":"00000000-0000-4000-8000-` +
					`000000000001"}`,
				`{"ARN":"arn:aws:secretsmanager:us-east-1:000000000000:secret:mine-ID","Name":"mine","VersionId":"UUID"}`},
			{"secretsmanager", "ListSecrets", `{"Filters":[{"Key":"description","Values":["one two"]}]}`, listed},
			{"secretsmanager", "ListSecrets", `{"Filters":[{"Key":"all","Values":["zz","two"]}]}`, listed},
			{"secretsmanager", "ListSecrets",
				`{"Filters":[{"Key":"description","Values":["one"]},{"Key":"name","Values":["zz"]}]}`,
				`{"SecretList":[]}`},
		},
		"04 a current version that is pending": {
			{"secretsmanager", "PutSecretValue",
				`{"SecretId":"mine","SecretString":"y","ClientRequestToken":"` + version("2") +
					`","VersionStages":["AWSCURRENT","AWSPENDING"]}`,
				`{"ARN":"arn:aws:secretsmanager:us-east-1:000000000000:secret:mine-ID","Name":"mine","VersionId":"UUID",` +
					`"VersionStages":["AWSCURRENT","AWSPENDING"]}`},
			{"secretsmanager", "PutSecretValue",
				`{"SecretId":"mine","SecretString":"z","ClientRequestToken":"` + version("3") + `"}`,
				`{"ARN":"arn:aws:secretsmanager:us-east-1:000000000000:secret:mine-ID","Name":"mine","VersionId":"UUID",` +
					`"VersionStages":["AWSCURRENT"]}`},
			{"secretsmanager", "GetSecretValue", `{"SecretId":"mine","VersionStage":"AWSPREVIOUS"}`,
				`{"ARN":"arn:aws:secretsmanager:us-east-1:000000000000:secret:mine-ID","CreatedDate":TIME,"Name":"mine",` +
					`"SecretString":"y","VersionId":"UUID","VersionStages":["AWSPREVIOUS"]}`},
		},
		"05 a name that cannot be": {
			{"secretsmanager", "DeleteSecret", `{"SecretId":"a b"}`,
				`400 {"__type":"ValidationException","Message":"Invalid name. Must be a valid name containing alphanumeric ` +
					`characters, or any of the following: -/_+=.@!"}`},
		},
		"07 tags of an alarm that is not there": {
			{"monitoring", "ListTagsForResource", "ResourceARN=arn:aws:cloudwatch:us-east-1:000000000000:alarm:none",
				"<Tags></Tags>"},
		},
		"08 identifiers that end in an asterisk": {
			{"logs", "CreateLogGroup", `{"logGroupName":"mine"}`, "{}"},
			{"logs", "GetLogEvents", `{"logGroupIdentifier":"` + group + `","logStreamName":"s"}`,
				invalid("InvalidParameterException", violation(group, "logGroupIdentifier",
					`satisfy regular expression pattern: [\\w#+=/:,.@-]*`))},
			{"logs", "DescribeLogStreams", `{"logGroupIdentifier":"` + group + `"}`,
				invalid("InvalidParameterException", violation(group, "logGroupIdentifier",
					`satisfy regular expression pattern: [\\w#+=/:,.@-]*`))},
		},
		"09 a long prefix": {
			{"logs", "DescribeMetricFilters", `{"filterNamePrefix":"` + long + `"}`,
				invalid("InvalidParameterException", violation(long, "filterNamePrefix",
					"have length less than or equal to 512"))},
		},
		"10 the default VPC": {
			{"ec2", "DescribeVpcs", "", "<vpcSet><item><blockPublicAccessStates><internetGatewayBlockMode>off</" +
				"internetGatewayBlockMode>" +
				"</blockPublicAccessStates><cidrBlock>172.31.0.0/16</cidrBlock><cidrBlockAssociationSet><item>" +
				"<associationId>vpc-cidr-assoc-ID</associationId><cidrBlock>172.31.0.0/16</cidrBlock>" +
				"<cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet>" +
				"<dhcpOptionsId>default</dhcpOptionsId><instanceTenancy>default</instanceTenancy>" +
				"<ipv6CidrBlockAssociationSet></ipv6CidrBlockAssociationSet><isDefault>true</isDefault>" +
				"<ownerId>000000000000</ownerId><state>available</state><tagSet></tagSet><vpcId>vpc-ID</vpcId></item></vpcSet>"},
		},
		"12 a secret without a value": {
			{"secretsmanager", "CreateSecret", `{"Name":"empty","ClientRequestToken":"` + version("4") + `"}`,
				`{"ARN":"arn:aws:secretsmanager:us-east-1:000000000000:secret:empty-ID","Name":"empty"}`},
			{"secretsmanager", "DescribeSecret", `{"SecretId":"empty"}`,
				`{"ARN":"arn:aws:secretsmanager:us-east-1:000000000000:secret:empty-ID","CreatedDate":TIME,"LastChangedDate":` +
					`TIME,"Name":"empty"}`},
			{"secretsmanager", "ListSecretVersionIds", `{"SecretId":"mine","IncludeDeprecated":true}`,
				`{"ARN":"arn:aws:secretsmanager:us-east-1:000000000000:secret:mine-ID","Name":"mine","Versions":[` +
					`{"CreatedDate":TIME,"KmsKeyIds":["DefaultEncryptionKey"],"VersionId":"UUID","VersionStages":["AWSCURRENT"]},` +
					`{"CreatedDate":TIME,"KmsKeyIds":["DefaultEncryptionKey"],"LastAccessedDate":TIME,"VersionId":"UUID",` +
					`"VersionStages":["AWSPREVIOUS"]},` +
					`{"CreatedDate":TIME,"KmsKeyIds":["DefaultEncryptionKey"],"VersionId":"UUID"}]}`},
			{"secretsmanager", "PutSecretValue",
				`{"SecretId":"empty","SecretString":"x","ClientRequestToken":"` + version("5") + `","VersionStages":["one"]}`,
				`{"ARN":"arn:aws:secretsmanager:us-east-1:000000000000:secret:empty-ID","Name":"empty","VersionId":"UUID",` +
					`"VersionStages":["AWSCURRENT","one"]}`},
		},
		"13 lists of CloudWatch": {
			{"monitoring", "PutMetricAlarm",
				"AlarmName=mine&MetricName=m&Namespace=n&Statistic=Sum&Period=60&EvaluationPeriods=1&Threshold=30&" +
					"ComparisonOperator=GreaterThanThreshold",
				""},
			{"monitoring", "DescribeAlarms", "", "<CompositeAlarms></CompositeAlarms><MetricAlarms><member>" +
				"<ActionsEnabled>true</ActionsEnabled><AlarmActions></AlarmActions>" +
				"<AlarmArn>arn:aws:cloudwatch:us-east-1:000000000000:alarm:mine</AlarmArn>" +
				"<AlarmConfigurationUpdatedTimestamp>TIME</AlarmConfigurationUpdatedTimestamp><AlarmName>mine</AlarmName>" +
				"<ComparisonOperator>GreaterThanThreshold</ComparisonOperator><Dimensions></Dimensions>" +
				"<EvaluationPeriods>1</EvaluationPeriods><InsufficientDataActions></InsufficientDataActions>" +
				"<MetricName>m</MetricName><Namespace>n</Namespace><OKActions></OKActions><Period>60</Period>" +
				"<StateReason>Unchecked: Initial alarm creation</StateReason>" +
				"<StateTransitionedTimestamp>TIME</StateTransitionedTimestamp>" +
				"<StateUpdatedTimestamp>TIME</StateUpdatedTimestamp><StateValue>INSUFFICIENT_DATA</StateValue>" +
				"<Statistic>Sum</Statistic><Threshold>30</Threshold></member></MetricAlarms>"},
			{"monitoring", "PutMetricData", "Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1",
				""},
			{"monitoring", "ListMetrics", "Namespace=n", "<Metrics><member><Dimensions></Dimensions>" +
				"<MetricName>m</MetricName><Namespace>n</Namespace></member></Metrics>"},
		},
		"14 fields of EC2": {
			{"ec2", "CreateVpc", "CidrBlock=10.9.0.0/16",
				"<vpc><cidrBlock>10.9.0.0/16</cidrBlock><cidrBlockAssociationSet><item>" +
					"<associationId>vpc-cidr-assoc-ID</associationId><cidrBlock>10.9.0.0/16</cidrBlock>" +
					"<cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet>" +
					"<dhcpOptionsId>default</dhcpOptionsId><instanceTenancy>default</instanceTenancy>" +
					"<ipv6CidrBlockAssociationSet></ipv6CidrBlockAssociationSet><isDefault>false</isDefault>" +
					"<ownerId>000000000000</ownerId><state>pending</state><vpcId>vpc-ID</vpcId></vpc>"},
			{"ec2", "CreateSubnet", "VpcId=VPC&CidrBlock=10.9.1.0/24&AvailabilityZone=us-east-1a", "<subnet>" + subnetBegins +
				subnetGoesOn + "<vpcId>vpc-ID</vpcId></subnet>"},
			{"ec2", "DescribeSubnets", "Filter.1.Name=vpc-id&Filter.1.Value.1=VPC", "<subnetSet><item>" + subnetBegins +
				"<blockPublicAccessStates><internetGatewayBlockMode>off</internetGatewayBlockMode></blockPublicAccessStates>" +
				subnetGoesOn + "<tagSet></tagSet><vpcId>vpc-ID</vpcId></item></subnetSet>"},
			{"ec2", "DescribeAvailabilityZones", "ZoneName.1=us-east-1a", "<availabilityZoneInfo><item>" +
				"<groupLongName>US East (N. Virginia) " +
				"1</groupLongName><groupName>us-east-1-zg-1</groupName><messageSet></messageSet>" +
				"<networkBorderGroup>us-east-1</networkBorderGroup><optInStatus>opt-in-not-required</optInStatus>" +
				"<regionName>us-east-1</regionName><zoneState>available</zoneState><zoneId>use1-az1</zoneId>" +
				"<zoneName>us-east-1a</zoneName><zoneType>availability-zone</zoneType></item></availabilityZoneInfo>"},
		},
		"15 where the text of an error stands": {
			{"secretsmanager", "GetSecretValue", `{"SecretId":"none"}`,
				`400 {"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."}`},
		},
		"16 streams and policies": {
			{"logs", "CreateLogStream", `{"logGroupName":"mine","logStreamName":"s"}`, "{}"},
			{"logs", "DescribeLogStreams", `{"logGroupName":"mine"}`,
				`{"logStreams":[{"arn":"arn:aws:logs:us-east-1:000000000000:log-group:mine:log-stream:s","creationTime":TIME,` +
					`"logStreamName":"s","storedBytes":0}]}`},
			{"logs", "PutResourcePolicy", `{"policyName":"p","policyDocument":` + policyDocument + `}`,
				`{"resourcePolicy":{"lastUpdatedTime":TIME,"policyDocument":` + policyDocument +
					`,"policyName":"p","policyScope":"ACCOUNT"}}`},
			{"logs", "DescribeResourcePolicies", "{}",
				`{"resourcePolicies":[{"lastUpdatedTime":TIME,"policyDocument":"{\"Version\":\"2008-10-17\",\"Statement\":` +
					`[{\"Effect\":\"Allow\",` +
					`\"Principal\":{\"Service\":\"x.amazonaws.com\"},\"Action\":\"logs:PutLogEvents\",\"Resource\":\"*\"}]}",` +
					`"policyName":"p","policyScope":"ACCOUNT"}]}`},
		},
		"17 data of no time": {
			{"monitoring", "GetMetricData", "StartTime=2026-03-04T05:06:07Z&EndTime=2026-03-04T05:06:07Z&" +
				"MetricDataQueries.member.1.Id=a&MetricDataQueries.member.1.Expression=1",
				refused("ValidationError", "The parameter StartTime must not equal parameter EndTime.")},
		},
		"18 a dashboard's name": {
			{"monitoring", "PutDashboard", "DashboardName=a:b&DashboardBody={}", refused("InvalidParameterValue",
				"The value a:b for field DashboardName contains invalid characters. It can only contain "+
					"alphanumerics, dash (-) and underscore (_).\n")},
		},
		"19 tags of KMS": {
			{"kms", "CreateKey", `{"Tags":[` + strings.Join(tags, ",") + `]}`, invalid("TagException", "Too many tags")},
			{"kms", "CreateKey", `{"Tags":[{"TagKey":"` + long[:129] + `","TagValue":""}]}`,
				invalid("ValidationException", violation(long[:129], "tags.1.member.tagKey",
					"have length less than or equal to 128"))},
		},
		"20 a group twice": {
			{"logs", "DescribeLogStreams", `{"logGroupName":"mine","logGroupIdentifier":"mine"}`,
				invalid("ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.")},
		},
		"21 no token": {
			{"secretsmanager", "PutSecretValue", `{"SecretId":"mine","SecretString":"x"}`,
				`400 {"__type":"InvalidRequestException","Message":"You must provide a ClientRequestToken value. We recommend a ` +
					`UUID-type value."}`},
		},
		"22 a token of a topic that is not there": {
			{"sns", "ConfirmSubscription", "TopicArn=" + topic + "-other&Token=" + strings.Repeat("5f", 64),
				refused("InvalidParameter", "Invalid parameter: Token")},
		},
		"24 texts of CloudWatch": {
			{"monitoring", "SetAlarmState", "AlarmName=mine&StateValue=X&StateReason=r", refused("ValidationError",
				violation("X", "stateValue", "satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]"))},
			{"monitoring", "PutMetricData",
				"Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1&MetricData.member.1.Values.member.1=1",
				refused("InvalidParameterCombination", "The parameters MetricData.member.1.Value and "+
					"MetricData.member.1.Values are mutually exclusive and you have specified both.")},
			{"monitoring", "PutMetricData",
				"Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Values.member.1=1&" +
					"MetricData.member.1.Counts.member.1=1&MetricData.member.1.Counts.member.2=1", refused(
					"InvalidParameterValue",
					"The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of "+
						"the same size.")},
		},
		"25 texts of SNS": {
			{"sns", "GetTopicAttributes", "TopicArn=x", refused("InvalidParameter",
				"Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1")},
			{"sns", "TagResource", "ResourceArn=" + topic +
				"&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=a&Tags.member.2.Value=1",
				refused("InvalidParameter", "Invalid parameter: Duplicated keys are not allowed.")},
			{"sns", "Subscribe", "TopicArn=" + topic + "&Protocol=test-protocol&Endpoint=x", refused("InvalidParameter",
				"Invalid parameter: Amazon SNS does not support this protocol string: test-protocol")},
		},
		"26 texts of KMS, and an alarm that is not there": {
			{"kms", "CreateKey", `{"Tags":[{"TagKey":"a","TagValue":""},{"TagKey":"a","TagValue":""}]}`,
				invalid("TagException", "Duplicate tag keys")},
			{"kms", "CreateKey", `{"Tags":[{"TagKey":"aws:a","TagValue":""}]}`,
				invalid("TagException", "Tags beginning with aws: are reserved")},
			{"kms", "CreateAlias", `{"AliasName":"x","TargetKeyId":"y"}`, invalid("ValidationException",
				`Alias must start with the prefix \"alias/\". Please see `+
					`https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html`)},
			{"kms", "DescribeKey", `{"KeyId":"mrk-d3b95762d3b95762d3b95762d3b95762"}`, invalid("NotFoundException",
				"Key 'arn:aws:kms:us-east-1:000000000000:key/mrk-d3b95762d3b95762d3b95762d3b95762' does not exist")},
			{"monitoring", "SetAlarmState", "AlarmName=none&StateValue=OK&StateReason=r",
				"404 <Type>Sender</Type><Code>ResourceNotFound</Code>"},
		},
		"27 texts of Logs and EC2": {
			{"logs", "CreateLogGroup", `{"logGroupName":"` + long + `"}`, invalid("InvalidParameterException",
				"Invalid LogGroup or LogStream, both must have length less than or equal to 512.")},
			{"logs", "DescribeLogGroups", `{"logGroupNamePrefix":"a","logGroupNamePattern":"b"}`,
				invalid("InvalidParameterException", "LogGroup name prefix and LogGroup name pattern are mutually "+
					"exclusive parameters.")},
			{"ec2", "CreateVpc", "CidrBlock=10.0.0.0/8",
				"400 <Code>InvalidVpc.Range</Code><Message>The CIDR '10.0.0.0/8' is invalid.</Message>"},
			{"ec2", "DeleteVpc", "VpcId=VPC", "400 <Code>DependencyViolation</Code><Message>The vpc 'vpc-ID' has " +
				"dependencies and cannot be deleted.</Message>"},
		},
		"28 FIFO topics": {
			{"sns", "CreateTopic", "Name=mine.fifo&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true",
				refused("InvalidParameter", "Invalid parameter: FifoTopic Reason: larder does not serve FIFO topics")},
		},
	}
}

const (
	listed = `{"SecretList":[{"ARN":"arn:aws:secretsmanager:us-east-1:000000000000:secret:mine-ID","CreatedDate":TIME,` +
		`"Description":"two and one","LastChangedDate":TIME,"Name":"mine","SecretVersionsToStages":{"UUID":["AWSCURRENT"]}}]}`
	// Of a subnet the record has that ipv6CidrBlockAssociationSet is there; the rest is what larder says.
	subnetBegins = "<assignIpv6AddressOnCreation>false</assignIpv6AddressOnCreation>" +
		"<availabilityZone>us-east-1a</availabilityZone><availabilityZoneId>use1-az1</availabilityZoneId>" +
		"<availableIpAddressCount>251</availableIpAddressCount>"
	subnetGoesOn = "<cidrBlock>10.9.1.0/24</cidrBlock><defaultForAz>false</defaultForAz>" +
		"<enableDns64>false</enableDns64><ipv6CidrBlockAssociationSet></ipv6CidrBlockAssociationSet>" +
		"<ipv6Native>false</ipv6Native><mapCustomerOwnedIpOnLaunch>false</mapCustomerOwnedIpOnLaunch>" +
		"<mapPublicIpOnLaunch>false</mapPublicIpOnLaunch><ownerId>000000000000</ownerId>" +
		"<privateDnsNameOptionsOnLaunch><enableResourceNameDnsAAAARecord>false</enableResourceNameDnsAAAARecord>" +
		"<enableResourceNameDnsARecord>false</enableResourceNameDnsARecord><hostnameType>ip-name</hostnameType>" +
		"</privateDnsNameOptionsOnLaunch><state>available</state>" +
		"<subnetArn>arn:aws:ec2:us-east-1:000000000000:subnet/subnet-ID</subnetArn><subnetId>subnet-ID</subnetId>"
	policyDocument = `"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":[\"x.amazonaws.com\"]},` +
		`\"Action\":[\"logs:PutLogEvents\"],\"Resource\":\"*\"}]}"`
)

// version is a token of a request, which becomes the id of a secret's version.
func version(n string) string { return "00000000-0000-4000-8000-00000000000" + n }

// TestAWSAnswers compares whole answers on the wire with AWS's. What depends on the time has its test in its service:
// the labels of metric data. So has the list of predefined aliases, which is long.
func TestAWSAnswers(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.serve()
	config := testkit.Config(d.clientEnv())
	all := awsAnswers()
	vpc := ""
	for _, kind := range slices.Sorted(maps.Keys(all)) {
		t.Run(kind, func(t *testing.T) {
			for _, a := range all[kind] {
				a.asked = strings.ReplaceAll(a.asked, "VPC", vpc)
				got, made := a.ask(t, config)
				if vpc = cmp.Or(made, vpc); got != a.want {
					t.Errorf("%s %s\ngot  %s\nwant %s", a.service, a.action, got, a.want)
				}
			}
		})
	}
}

// ask makes the call. It returns the answer without its envelope, and stands names in for what differs each time; and
// the last VPC in it.
func (a awsAnswer) ask(t *testing.T, config aws.Config) (answer, vpc string) {
	t.Helper()
	targets := map[string]string{"kms": "TrentService", "logs": "Logs_20140328", "secretsmanager": "secretsmanager"}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	asked := "Action=" + a.action + "&" + a.asked
	if target, ok := targets[a.service]; ok {
		header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {target + "." + a.action}}
		asked = a.asked
	}
	status, raw := servicetest.Raw(t, config, a.service, header, strings.NewReader(asked))
	answer = raw
	for _, cut := range []struct{ what, stead string }{
		{`^<\w+Response xmlns="[^"]*">(?:<requestId>[^<]*</requestId>|<\w+Result>)`, ""},
		{`</\w+Result><ResponseMetadata>.*$`, ""}, {`</\w+Response>$`, ""},
		{`^<(?:ErrorResponse xmlns="[^"]*"|Response><Errors)><Error>`, ""}, {`(?s)</Error>(?:</Errors>)?<Request.*$`,
			""},
		{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "UUID"},
		{`\b(vpc|vpc-cidr-assoc|subnet)-[0-9a-f]{17}`, "$1-ID"}, {`(:secret:\w+)-\w{6}`, "$1-ID"},
		{`\d{4}-\d\d-\d\dT[0-9:.]+Z`, "TIME"}, {`\b1\d{9}(?:\.\d+|\d{3})?\b`, "TIME"},
	} {
		answer = regexp.MustCompile(cut.what).ReplaceAllString(answer, cut.stead)
	}
	if status != http.StatusOK {
		answer = strconv.Itoa(status) + " " + answer
	}
	return answer, regexp.MustCompile(`(?:.*\b(vpc-[0-9a-f]{17}))?`).FindStringSubmatch(raw)[1]
}
