package e2e

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/testkit"
)

// withCLI puts an AWS CLI of that major version first in the harness's PATH, as a process of one piece.
func (d *harness) withCLI(major string) {
	d.t.Helper()
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, "aws")
		if out, err := exec.Command(path, "--version").CombinedOutput(); err != nil ||
			!strings.HasPrefix(string(out), "aws-cli/"+major+".") {
			continue
		}
		bin := d.t.TempDir()
		// A process that is forked meanwhile has the file open for writing, and until it has become another nobody can
		// run it.
		syscall.ForkLock.RLock()
		err := os.WriteFile(filepath.Join(bin, "aws"), []byte("#!/bin/sh\nexec '"+path+"' \"$@\"\n"), 0o700)
		syscall.ForkLock.RUnlock()
		d.check(err)
		d.env = append(d.env, "PATH="+bin+":"+os.Getenv("PATH"))
		d.cli = filepath.Join(bin, "aws")
		return
	}
	testkit.Missing(d.t, "there is no AWS CLI of version "+major)
}

// aws is a run of the AWS CLI, which ends with ctx.
func (d *harness) aws(ctx context.Context, args ...string) *exec.Cmd {
	d.t.Helper()
	env := d.clientEnv()
	cmd := exec.CommandContext(ctx, d.cli, append([]string{"--endpoint-url", env["AWS_ENDPOINT_URL"]}, args...)...)
	cmd.Env = append(d.env, "PYTHONUNBUFFERED=1")
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// `aws logs tail` of the AWS CLI, which only its version 2 has, shows what was logged since a time, by pattern and
// stream, and with --follow what is logged then, once.
func TestAWSLogsTail(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.withCLI("2")
	d.serve()
	client := cloudwatchlogs.NewFromConfig(d.config())
	group := new("/shop/redis")
	_, err := client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	d.check(err)
	for _, stream := range []string{"elasticache/redis/shop-001/0001/slow-log", "other"} {
		_, err = client.CreateLogStream(t.Context(),
			&cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: &stream})
		d.check(err)
	}
	put := func(stream string, age time.Duration, messages ...string) {
		t.Helper()
		in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: &stream}
		for _, m := range messages {
			in.LogEvents = append(in.LogEvents,
				types.InputLogEvent{Timestamp: new(time.Now().Add(-age).UnixMilli()), Message: &m})
		}
		_, err := client.PutLogEvents(t.Context(), in)
		d.check(err)
	}
	put("other", time.Hour, "ERROR an hour ago")
	put("other", time.Minute, "ERROR a minute ago", "INFO a minute ago")
	put("elasticache/redis/shop-001/0001/slow-log", time.Second, "ERROR KEYS *")

	for options, want := range map[string]string{
		"--since 2h --format short": "ERROR an hour " +
			"ago|ERROR a minute ago|INFO a minute ago|ERROR KEYS *",
		"--since 10m --format short": "ERROR a minute " +
			"ago|INFO a minute ago|ERROR KEYS *",
		"--since 10m --format short --filter-pattern INFO":                                   "INFO a minute ago",
		"--since 10m --format short --log-stream-name-prefix elasticache/redis/shop-001":     "ERROR KEYS *",
		"--since 2h --format short --filter-pattern '\"ERROR an\"' --log-stream-names other": "ERROR an hour ago",
		"--since 10m --format detailed --log-stream-names " +
			"elasticache/redis/shop-001/0001/slow-log": "elasticache/redis/shop-001/0001/slow-log ERROR KEYS *",
	} {
		r := d.shell("aws logs tail /shop/redis --color off " + options)
		var got []string
		for line := range strings.Lines(r.stdout) {
			_, message, _ := strings.Cut(strings.TrimSpace(line), " ") // behind the time
			got = append(got, message)
		}
		if r.code != 0 || strings.Join(got, "|") != want {
			t.Errorf("%s: %d %q, want %q\n%s", options, r.code, got, want, r.stderr)
		}
	}
	if r := d.shell("aws logs tail /not/there"); r.code == 0 ||
		!strings.Contains(r.stderr, "The specified log group does not exist.") {
		t.Errorf("an unknown group: %d %s", r.code, r.stderr)
	}

	ctx, cancel := context.WithTimeout(t.Context(), commandLimit)
	defer cancel()
	cmd := d.aws(ctx, "logs", "tail", "/shop/redis", "--follow", "--since", "10m", "--format", "short",
		"--filter-pattern", "ERROR")
	out, err := cmd.StdoutPipe()
	d.check(err)
	d.check(cmd.Start())
	lines := bufio.NewScanner(out)
	for i, want := range []string{"ERROR a minute ago", "ERROR KEYS *", "ERROR just now", "ERROR and then"} {
		if !lines.Scan() || !strings.HasSuffix(lines.Text(), want) {
			t.Fatalf("line %d is %q, want %q: %v", i, lines.Text(), want, lines.Err())
		}
		switch i {
		case 1:
			put("other", 0, "INFO just now", "ERROR just now")
		case 2:
			put("other", 0, "ERROR and then")
		}
	}
	cancel()
	for lines.Scan() {
		t.Errorf("more came: %s", lines.Text())
	}
	cmd.Wait() // it was interrupted
}

// `aws logs start-live-tail` of the AWS CLI, which its version 1 has too, shows what is logged while it runs.
func TestAWSLogsStartLiveTail(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.withCLI("1")
	d.serve()
	client := cloudwatchlogs.NewFromConfig(d.config())
	_, err := client.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: new("mine")})
	d.check(err)
	_, err = client.CreateLogStream(t.Context(),
		&cloudwatchlogs.CreateLogStreamInput{LogGroupName: new("mine"), LogStreamName: new("a")})
	d.check(err)
	ctx, cancel := context.WithTimeout(t.Context(), commandLimit)
	defer cancel()
	cmd := d.aws(ctx, "logs", "start-live-tail", "--log-group-identifiers",
		"arn:aws:logs:us-east-1:000000000000:log-group:mine",
		"--log-event-filter-pattern", "ERROR")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	d.check(err)
	d.check(cmd.Start())
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(out); in.Scan(); {
			lines <- in.Text()
		}
	}()
	tick := time.NewTicker(200 * time.Millisecond) // nothing else tells that the session has begun
	defer tick.Stop()
	for seen := false; !seen; {
		select {
		case line, ok := <-lines:
			if seen = strings.Contains(line, "ERROR now"); !ok || strings.Contains(line, "INFO") {
				t.Fatalf("got %q: %s", line, stderr.String())
			}
		case <-tick.C:
			now := new(time.Now().UnixMilli())
			_, err := client.PutLogEvents(t.Context(),
				&cloudwatchlogs.PutLogEventsInput{LogGroupName: new("mine"), LogStreamName: new("a"),
					LogEvents: []types.InputLogEvent{{Timestamp: now, Message: new("INFO now")},
						{Timestamp: now, Message: new("ERROR now")}}})
			d.check(err)
		}
	}
	d.must("down", "--yes") // also while a session is open
	for range lines {
	}
	cancel()
	cmd.Wait() // its engine is gone
}
