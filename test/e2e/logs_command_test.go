package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"larder/internal/testkit"
)

// lines runs a program that prints lines until it is ended.
type lines struct {
	t    *testing.T
	cmd  *exec.Cmd
	text chan string
}

func (d *harness) follow(env []string, name string, args ...string) *lines {
	d.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stderr = env, os.Stderr
	out, err := cmd.StdoutPipe()
	d.check(err)
	d.check(cmd.Start())
	l := &lines{d.t, cmd, make(chan string, 10_000)}
	go func() {
		defer close(l.text)
		for s := bufio.NewScanner(out); s.Scan(); {
			l.text <- s.Text()
		}
	}()
	d.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			cmd.Process.Kill()
			cmd.Wait()
		}
	})
	return l
}

// await reads until a line has the text, and returns it.
func (l *lines) await(text string) string {
	l.t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case line, ok := <-l.text:
			if !ok {
				l.t.Fatalf("%v ended without %q", l.cmd.Args, text)
			}
			if strings.Contains(line, text) {
				return line
			}
		case <-timer.C:
			l.t.Fatalf("%v: %q did not come within %s", l.cmd.Args, text, patience)
		}
	}
}

// interrupt is Ctrl-C, which ends it in peace.
func (l *lines) interrupt() {
	l.t.Helper()
	if err := l.cmd.Process.Signal(syscall.SIGINT); err != nil {
		l.t.Fatal(err)
	}
	for range l.text { // what it printed before the signal
	}
	if err := l.cmd.Wait(); err != nil {
		l.t.Errorf("%v, interrupted, ended with %v", l.cmd.Args, err)
	}
}

func TestLogsCommand(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.refused([]string{"logs"}, "no engine is running")
	dir := d.write("main.tf", shopCall(alone...))
	d.must("up", dir)
	d.refused([]string{"logs", "other"}, "there is no replication group", shop)
	d.refused([]string{"logs", "--since", "tomorrow"}, "--since")
	if help := d.must("logs", "--help"); !strings.Contains(help, "larder logs --engine --since 2h") {
		t.Errorf("no example: %s", help)
	}
	if words := d.must("__complete", "logs", ""); !strings.Contains(words, shop+"\t") {
		t.Errorf("the group is not completed: %s", words)
	}
	d.eventually("the engine log is shown",
		func() bool { return strings.Contains(d.must("logs", "--engine"), shop+"-001/0001:M ") })
	since := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for flag, groups := range map[string]string{"--slow": slowLogs,
		"--engine": strings.Replace(slowLogs, "slow-log", "engine-log", 1)} {
		want := "There is nothing of " + shop + " since " + since + " in " + groups + "; --since looks further back.\n"
		if r := d.larder("logs", flag, "--since", since, "--json"); r.code != 0 || r.stdout != "" || r.stderr != want {
			t.Errorf("logs %s of what is to come: exit %d, %q, %q", flag, r.code, r.stdout, r.stderr)
		}
	}
	if r := d.larder("logs", "--engine"); r.stderr != "" {
		t.Errorf("logs of something says %q", r.stderr)
	}
	if out := d.must("logs", "--slow", "--since", "1h"); strings.Contains(out, "/0001:") ||
		strings.Contains(out, "\x1b") {
		t.Errorf("the slow log is shown as %s", out)
	}

	follow := d.follow(d.env, program, "logs", shop, "--follow", "--slow", "--json")
	c := d.client(d.status(shop).Primary)
	ctx := context.Background()
	fastest := patience
	for _, word := range []string{"first", "second", "third", "fourth", "fifth"} {
		d.check(c.Do(ctx, "CLIENT", "SETNAME", word).Err())
		begin := time.Now()
		d.check(c.Echo(ctx, "secret").Err())
		line := follow.await(`echo ... (1 more arguments)`)
		fastest = min(fastest, time.Since(begin))
		var seen struct {
			Node    string
			LogType string `json:"log_type"`
			Message string
		}
		d.check(json.Unmarshal([]byte(line), &seen))
		if seen.Node != shop+"-001" || seen.LogType != "slow-log" ||
			!strings.Contains(seen.Message, `"ClientName":"`+word+`"`) {
			t.Errorf("shown: %s", line)
		}
	}
	// Each command was sent when the line before had come: lines that came with every so manyth look would all be as
	// late as that.
	t.Logf("the fastest of five lines came after %s", fastest)
	if fastest > 3*time.Second { // a second on an idle machine
		t.Errorf("every line came late: after %s the earliest", fastest)
	}
	d.kill(d.pid())
	d.must("up", dir)
	d.check(c.Do(ctx, "CLIENT", "SETNAME", "after-the-kill").Err())
	d.check(c.Echo(ctx, "secret").Err())
	follow.await(`after-the-kill\"}`)
	follow.interrupt()

	follow = d.follow(d.env, program, "logs", "-f")
	follow.await(shop + "-001") // it has begun, with what was logged before
	_, err := d.api().DeleteReplicationGroup(ctx,
		&elasticache.DeleteReplicationGroupInput{ReplicationGroupId: aws.String(shop)})
	d.check(err)
	follow.await("ready to exit, bye bye")
	for range follow.text {
	}
	d.check(follow.cmd.Wait())
}

func TestLogsOfAGroupThatDeliversNone(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", d.write("main.tf", shopCall(append(alone, line{"slow_log_enabled", "false"})...)))
	d.refused([]string{"logs", "--slow"}, "does not deliver its slow log", "slow_log_enabled")
	d.must("logs", "--engine")
}

// tailing finds an AWS CLI with `logs tail`, which version 1 does not have.
func tailing(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"aws", "/usr/bin/aws"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if out, err := exec.Command(path, "--version").Output(); err == nil &&
			strings.HasPrefix(string(out), "aws-cli/2") {
			return path
		}
	}
	testkit.Missing(t, "AWS CLI version 2 is missing: run scripts/install-clients")
	return ""
}

// TestTailWithTheAWSCLI: the seed's command, which polls every five seconds, shows a slow command.
func TestTailWithTheAWSCLI(t *testing.T) {
	t.Parallel()
	cli := tailing(t)
	d := newHarness(t)
	d.must("up", d.write("main.tf", shopCall(alone...)))
	env := d.env
	for name, value := range d.clientEnv() {
		env = append(env, name+"="+value)
	}
	// Debian 12's version does not know AWS_ENDPOINT_URL yet.
	tail := d.follow(env, cli, "--endpoint-url", d.clientEnv()["AWS_ENDPOINT_URL"], "logs", "tail", slowLogs,
		"--follow")
	c := d.client(d.status(shop).Primary)
	d.check(c.Do(context.Background(), "CLIENT", "SETNAME", "a-slow-client").Err())
	d.check(c.Eval(context.Background(), "for i = 1, 1e5 do redis.call('PING') end return 1", nil).Err())
	line := tail.await(`"Command":"eval ... (2 more arguments)"`)
	for _, want := range []string{"elasticache/redis/" + shop + "-001/0001/slow-log", `"ClientName":"a-slow-client"`,
		`"CacheNodeId":"0001"`} {
		if !strings.Contains(line, want) {
			t.Errorf("%s is not in %s", want, line)
		}
	}
}
