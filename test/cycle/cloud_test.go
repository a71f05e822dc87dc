package cycle

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	ectypes "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"larder/internal/awssdk/ec2"
	"larder/internal/testkit"
)

// cloud is what the AWS SDK and Redis clients see of a stack.
type cloud struct {
	id      string  // of the replication group
	auth    *string // its token, where the module's secret does not have it
	roots   *x509.CertPool
	config  aws.Config
	cache   *elasticache.Client
	alarms  *cloudwatch.Client
	logs    *cloudwatchlogs.Client
	secrets *secretsmanager.Client
	topics  *sns.Client
	keys    *kms.Client
	network *ec2.Client
}

// newCloud makes the clients from what `larder env` prints.
func newCloud(id string, env map[string]string) (*cloud, error) {
	c := &cloud{id: id, roots: x509.NewCertPool(), config: testkit.Config(env)}
	bundle, err := os.ReadFile(env["SSL_CERT_FILE"])
	if err != nil {
		return nil, err
	}
	if !c.roots.AppendCertsFromPEM(bundle) {
		return nil, fmt.Errorf("%s has no certificate", env["SSL_CERT_FILE"])
	}
	return c.in(c.config.Region), nil
}

// in is the cloud in a region.
func (c *cloud) in(region string) *cloud {
	there := *c
	there.config.Region = region
	there.cache, there.alarms = elasticache.NewFromConfig(there.config), cloudwatch.NewFromConfig(there.config)
	there.logs, there.secrets = cloudwatchlogs.NewFromConfig(there.config), secretsmanager.NewFromConfig(there.config)
	there.topics, there.keys = sns.NewFromConfig(there.config), kms.NewFromConfig(there.config)
	there.network = ec2.NewFromConfig(there.config)
	return &there
}

func (c *cloud) group() (ectypes.ReplicationGroup, error) {
	out, err := c.cache.DescribeReplicationGroups(context.Background(),
		&elasticache.DescribeReplicationGroupsInput{ReplicationGroupId: &c.id})
	if err != nil {
		return ectypes.ReplicationGroup{}, err
	}
	return out.ReplicationGroups[0], nil
}

// clusters are the group's members.
func (c *cloud) clusters() ([]ectypes.CacheCluster, error) {
	out, err := c.cache.DescribeCacheClusters(context.Background(),
		&elasticache.DescribeCacheClustersInput{ShowCacheNodeInfo: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(out.CacheClusters, func(cluster ectypes.CacheCluster) bool {
		return aws.ToString(cluster.ReplicationGroupId) != c.id
	}), nil
}

// primary is the address of the primary endpoint.
func (c *cloud) primary() (string, error) {
	g, err := c.group()
	if err != nil {
		return "", err
	}
	return address(g.NodeGroups[0].PrimaryEndpoint), nil
}

func address(e *ectypes.Endpoint) string { return fmt.Sprintf("%s:%d", *e.Address, *e.Port) }

// token is the group's: the module keeps it in its secret.
func (c *cloud) token() (string, error) {
	if c.auth != nil {
		return *c.auth, nil
	}
	parts := strings.Split(strings.TrimSuffix(c.id, "-redis"), "-")
	name := "uex-payments/" + parts[len(parts)-1] + "/redis"
	out, err := c.secrets.GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		return "", err
	}
	var secret struct {
		Token string `json:"auth_token"`
	}
	err = json.Unmarshal([]byte(*out.SecretString), &secret)
	return secret.Token, err
}

// How long a client waits for one answer: one that writes on and on, and one that has to have it.
const (
	writerPatience = 2 * time.Second
	patience       = 30 * time.Second
)

// connect makes a client that checks the certificate.
func (c *cloud) connect(address, token string) *redis.Client {
	return c.connectWith(address, patience, func(context.Context) (string, string, error) { return "", token, nil })
}

// failedDials is how many connections in a row may fail before the client stops trying for a second, whatever the
// server does (it is the size of its pool): more than fail in a planned move.
const failedDials = 1000

// connectWith makes a client that asks for its user and token whenever it opens a connection.
func (c *cloud) connectWith(address string, patience time.Duration,
	credentials func(context.Context) (user, token string, err error)) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: address, CredentialsProviderContext: credentials,
		TLSConfig: &tls.Config{RootCAs: c.roots, MinVersion: tls.VersionTLS12}, Protocol: 2, PoolSize: failedDials,
		MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, DialTimeout: patience, ReadTimeout: patience,
		WriteTimeout:             patience,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// opens tells whether a token opens a connection through the primary endpoint.
func (c *cloud) opens(token string) (bool, error) {
	primary, err := c.primary()
	if err != nil {
		return false, err
	}
	client := c.connect(primary, token)
	defer client.Close()
	err = client.Ping(context.Background()).Err()
	if redis.IsAuthError(err) {
		return false, nil
	}
	return err == nil, err
}

// info reads the lines of INFO on every node at its own address, by the node's id. INFO tells what the server runs
// with, and is what clients may ask: ElastiCache keeps CONFIG from them.
func (c *cloud) info() (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	clusters, errClusters := c.clusters()
	token, errToken := c.token()
	if err := errors.Join(errClusters, errToken); err != nil {
		return nil, err
	}
	for _, cluster := range clusters {
		text, err := c.infoOf(address(cluster.CacheNodes[0].Endpoint), token)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", *cluster.CacheClusterId, err)
		}
		fields := map[string]string{}
		for line := range strings.Lines(text) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			fields[name] = value
		}
		all[*cluster.CacheClusterId] = fields
	}
	return all, nil
}

func (c *cloud) infoOf(address, token string) (string, error) {
	client := c.connect(address, token)
	defer client.Close()
	return client.Info(context.Background(), "everything").Result()
}

// everyNode checks a line of INFO on every node.
func everyNode(field, want string) func(*cloud) error {
	return func(c *cloud) error {
		nodes, err := c.info()
		if err != nil {
			return err
		}
		for id, fields := range nodes {
			if fields[field] != want {
				return fmt.Errorf("INFO of %s says %s:%s, want %s", id, field, fields[field], want)
			}
		}
		return nil
	}
}

// members checks how many nodes there are: one primary that all others follow, in the record and on the nodes.
func members(want int) func(*cloud) error {
	return func(c *cloud) error {
		g, errGroup := c.group()
		nodes, errNodes := c.info()
		if err := errors.Join(errGroup, errNodes); err != nil {
			return err
		}
		if len(g.MemberClusters) != want || len(nodes) != want {
			return fmt.Errorf("the group lists %v and %d nodes answer, want %d", g.MemberClusters, len(nodes), want)
		}
		for _, m := range g.NodeGroups[0].NodeGroupMembers {
			fields := nodes[*m.CacheClusterId]
			role := map[string]string{"master": "primary", "slave": "replica"}[fields["role"]]
			switch {
			case aws.ToString(m.CurrentRole) != role:
				return fmt.Errorf("%s is recorded as %s and is %s", *m.CacheClusterId, aws.ToString(m.CurrentRole),
					role)
			case role == "primary" && fields["connected_slaves"] != fmt.Sprint(want-1):
				return fmt.Errorf("%s replicas follow %s, want %d", fields["connected_slaves"], *m.CacheClusterId,
					want-1)
			case role == "replica" && fields["master_link_status"] != "up":
				return fmt.Errorf("the link of %s is %s", *m.CacheClusterId, fields["master_link_status"])
			}
		}
		return nil
	}
}

// finalSnapshot checks whether the destroyed group has left a snapshot, which is there to be restored.
func (c *cloud) finalSnapshot(wanted bool) error {
	out, err := c.cache.DescribeSnapshots(context.Background(), nil)
	if err != nil {
		return err
	}
	final := 0
	for _, s := range out.Snapshots {
		if strings.Contains(*s.SnapshotName, "-final-") && *s.SnapshotStatus == "available" {
			final++
		}
	}
	if final > 1 || (final == 1) != wanted {
		return fmt.Errorf("there are %d final snapshots that are available, wanted: %v", final, wanted)
	}
	return nil
}
