package chaos

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/app"
	"larder/internal/node"
	"larder/internal/redisnode"
	"larder/internal/seal"
	"larder/internal/state"
	"larder/internal/store"
	"larder/internal/testkit"
)

const (
	groupID = "chaos"
	// token is what clients log in with at first. The group ends with the test.
	token = "chaos-0123456789-chaos"
	// nodeTypes are the two that the group moves between.
	smallNodes, largeNodes = "cache.t3.small", "cache.t3.medium"

	startPatience   = time.Minute // of an engine
	settlePatience  = time.Minute // of a group
	poll            = 20 * time.Millisecond
	commandPatience = 30 * time.Second // with a larder command
	// adminPatience is how long the test itself waits for a node's answer. It needs that one, where a client goes to
	// another node.
	adminPatience = 20 * time.Second
)

// harness is a larder with a state directory of its own, and one group.
type harness struct {
	program string
	dir     string // holds the state directory and the engine's log
	env     []string
	disk    disk
	clocks  clocks
	say     func(format string, args ...any)

	engine *exec.Cmd
	log    *os.File
	admin  string // the password of larder's own user on the nodes
	trust  *tls.Config
	tokens tokens
	group  group // as it was when it last had settled
	// primaryEndpoint and readerEndpoint are the group's for its whole life: clients read them while the group settles.
	primaryEndpoint, readerEndpoint string
	struck                          time.Time     // when a node was last signalled
	unattended                      time.Duration // how long the start of engines took, all together
}

// newHarness makes a state directory in dir, and an engine with a group of three nodes, TLS and a token.
func newHarness(ctx context.Context, program, dir string, say func(string, ...any)) (*harness, error) {
	d := &harness{program: program, dir: dir, say: say, env: testkit.Environment(),
		tokens: tokens{current: []string{token}}}
	d.env = append(d.env, "LARDER_HOME="+string(d.home()), "LARDER_LISTEN=127.0.0.1:0", "GOTRACEBACK=all")
	return d, d.create(ctx)
}

func (d *harness) create(ctx context.Context) (err error) {
	if err := os.MkdirAll(string(d.home()), 0o700); err != nil {
		return err
	}
	if d.disk, err = newDisk(string(d.home())); err != nil {
		return err
	}
	if d.clocks, err = newClocks(ctx, d.dir); err != nil {
		return err
	}
	d.env = append(d.env, d.clocks.env()...)
	if d.log, err = os.OpenFile(d.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return err
	}
	if err := d.start(ctx); err != nil {
		return err
	}
	api, err := d.api()
	if err != nil {
		return err
	}
	_, err = api.CreateReplicationGroup(ctx, &elasticache.CreateReplicationGroupInput{
		ReplicationGroupId:          aws.String(groupID),
		ReplicationGroupDescription: aws.String("a group that lives through faults"),
		NumCacheClusters:            aws.Int32(1 + usualReplicas), CacheNodeType: aws.String(smallNodes),
		AutomaticFailoverEnabled: aws.Bool(true),
		TransitEncryptionEnabled: aws.Bool(true), AuthToken: aws.String(token),
	})
	if err != nil {
		return fmt.Errorf("cannot create the group: %w", err)
	}
	if err := d.awaitStatus(ctx, "available"); err != nil {
		return err
	}
	if err := d.readSecrets(ctx); err != nil {
		return err
	}
	return d.firstSettle(ctx)
}

func (d *harness) home() app.Home  { return app.Home(filepath.Join(d.dir, "state")) }
func (d *harness) logFile() string { return filepath.Join(d.dir, "engine.log") }

// readSecrets opens the state for the password of larder's own user. The store is the engine's alone while it runs.
func (d *harness) readSecrets(ctx context.Context) error {
	if err := d.end(syscall.SIGTERM); err != nil {
		return err
	}
	sealer, err := seal.Open(filepath.Join(string(d.home()), "master.key"))
	if err != nil {
		return err
	}
	s, err := store.Open(filepath.Join(string(d.home()), "larder.db"))
	if err != nil {
		return err
	}
	var c state.Credential
	err = s.View(func(tx *store.Tx) (err error) {
		c, err = state.Credentials.Get(tx, groupID)
		return err
	})
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	password, err := sealer.Open("replication-group/"+groupID+"/admin", c.Admin)
	if err != nil {
		return err
	}
	d.admin = string(password)
	certificate, err := os.ReadFile(d.home().AuthorityFile())
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	d.trust = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(16)}
	return d.start(ctx)
}

// start runs the engine and returns when it answers.
func (d *harness) start(ctx context.Context) error {
	begin := time.Now()
	defer func() { d.unattended += time.Since(begin) }()
	d.engine = exec.Command(d.program, "serve")
	d.engine.Env, d.engine.Dir, d.engine.Stdout, d.engine.Stderr = d.env, d.dir, d.log, d.log
	d.engine.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for the test, which ends it in order
	if err := d.engine.Start(); err != nil {
		return err
	}
	return await(ctx, startPatience, "the engine answers", func(ctx context.Context) error {
		info, err := d.home().ReadInfo()
		if err == nil && info.PID != d.engine.Process.Pid {
			err = errors.New("engine.json is an earlier engine's")
		}
		if err != nil {
			return err
		}
		_, err = d.larder(ctx, "status", "--json")
		return err
	})
}

// end signals the engine and waits until it is gone.
func (d *harness) end(s syscall.Signal) error {
	if err := d.engine.Process.Signal(s); err != nil {
		return fmt.Errorf("cannot end the engine: %w", err)
	}
	var exit *exec.ExitError
	if err := d.engine.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	d.engine = nil
	return nil
}

// close stops the engine with its nodes and gives the disk back. What still runs then is an error.
func (d *harness) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*commandPatience)
	defer cancel()
	_, err := d.larder(ctx, "down", "--yes")
	if d.engine != nil {
		d.engine.Process.Kill() // it has ended, unless down failed
		d.engine.Wait()
	}
	left, errLeft := testkit.ProcessesIn(string(d.home()))
	for _, p := range left {
		err = errors.Join(err, fmt.Errorf("process %d is left in %s", p.PID, p.Dir),
			syscall.Kill(p.PID, syscall.SIGKILL))
	}
	if d.log != nil {
		err = errors.Join(err, d.log.Close())
	}
	if d.disk != nil {
		err = errors.Join(err, d.disk.close())
	}
	return errors.Join(err, errLeft)
}

// larder runs a command and returns what it printed.
func (d *harness) larder(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, d.program, args...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = d.env, &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("larder %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

// api is an SDK client of the engine that runs now. It keeps no connection, which would count as the engine's.
func (d *harness) api() (*elasticache.Client, error) {
	info, err := d.home().ReadInfo()
	return elasticache.NewFromConfig(aws.Config{
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		Region:     info.Region, BaseEndpoint: &info.Endpoint, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(info.AccessKeyID, info.SecretAccessKey, ""),
	}), err
}

// status is what `larder status --json` says of the group.
type status struct {
	Status, Reason string
	Primary        string `json:"primary_endpoint"`
	Reader         string `json:"reader_endpoint"`
	Nodes          []member
}

type member struct {
	ID, Role, Status, Address string
	PID                       int
}

func (d *harness) status(ctx context.Context) (status, error) {
	out, err := d.larder(ctx, "status", groupID, "--json")
	if err != nil {
		return status{}, err
	}
	var all struct{ Groups []status }
	if err := json.Unmarshal(out, &all); err != nil {
		return status{}, fmt.Errorf("cannot read the status %s: %w", out, err)
	}
	return all.Groups[0], nil
}

func (d *harness) awaitStatus(ctx context.Context, wanted string) error {
	return await(ctx, settlePatience, "the group is "+wanted, func(ctx context.Context) error {
		s, err := d.status(ctx)
		if err == nil && s.Status != wanted {
			err = fmt.Errorf("it is %s: %s", s.Status, s.Reason)
		}
		return err
	})
}

// tail is the end of the engine's log.
func (d *harness) tail() string {
	const most = 4 << 10
	raw, err := os.ReadFile(d.logFile())
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-most):])
}

// node opens a connection to a member's admin socket, as larder's own user.
func (d *harness) node(ctx context.Context, id string) (*conn, error) {
	path := filepath.Join(string(d.home()), "nodes", id, node.Socket)
	var dialer net.Dialer
	dial := func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "unix", path) }
	return open(ctx, dial, adminPatience, redisnode.AdminUser, d.admin)
}

// client opens a connection to an address as an application does. While the token changes it knows both, and tries the
// newer one first.
func (d *harness) client(ctx context.Context, address string) (c *conn, err error) {
	for _, t := range slices.Backward(d.tokens.known()) {
		if c, err = open(ctx, d.dial(address), clientPatience, t); !errors.As(err, new(refused)) {
			break
		}
	}
	return c, err
}

// dial connects to an address over TLS.
func (d *harness) dial(address string) func(context.Context) (net.Conn, error) {
	dialer := tls.Dialer{Config: d.trust}
	return func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", address) }
}

func (d *harness) primary(ctx context.Context) (*conn, error) {
	return d.client(ctx, d.primaryEndpoint)
}
func (d *harness) reader(ctx context.Context) (*conn, error) { return d.client(ctx, d.readerEndpoint) }

// await tries until it succeeds; the error is that of the last attempt.
func await(ctx context.Context, patience time.Duration, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	last := errors.New("not tried yet")
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("still not after %s: %s: %w", patience, what, last)
		}
	}
}
