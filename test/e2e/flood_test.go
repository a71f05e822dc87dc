package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
)

// plausible holds a number of connections open until stop, each with a request that has the right access key id and a
// wrong signature, and a body of 1 MiB whose last byte never comes. A connection that the engine ends is followed by
// another.
func plausible(t *testing.T, env map[string]string, n int) (sent *atomic.Int64, stop func()) {
	address := strings.TrimPrefix(env["AWS_ENDPOINT_URL"], "http://")
	ctx, cancel := context.WithCancel(t.Context())
	sent = new(atomic.Int64)
	body := make([]byte, 1<<20-1)
	hold := func() {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return
		}
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		defer conn.Close()
		now := time.Now().UTC()
		fmt.Fprintf(conn,
			"POST / HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nX-Amz-Date: %s\r\n"+
				"Authorization: AWS4-HMAC-SHA256 Credential=%s/%s/%s/elasticache/aws4_request, "+
				"SignedHeaders=host;x-amz-date, Signature=%s\r\nContent-Length: %d\r\n\r\n",
			address, now.Format("20060102T150405Z"), env["AWS_ACCESS_KEY_ID"], now.Format("20060102"),
			env["AWS_REGION"], strings.Repeat(
				"ab", 32), len(body)+1)
		if k, err := conn.Write(body); err == nil && k == len(body) {
			sent.Add(1)
		}
		_, _ = conn.Read(make([]byte, 1<<10)) // until it is refused, or the connection ends
	}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				hold()
			}
		})
	}
	return sent, func() { cancel(); all.Wait() }
}

// idle opens connections that say nothing.
func idle(t *testing.T, address string, n int) (leave func()) {
	t.Helper()
	var all []net.Conn
	for range n {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return func() {
		for _, c := range all {
			c.Close()
		}
	}
}

// TestPlausibleRequestsKeepNobodyOut: with 200 requests that have the right access key and a wrong signature, whose
// bodies never end, larder's own commands and clients that hold the secret are answered.
func TestPlausibleRequestsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	env := d.clientEnv()
	cache, logs := elasticache.NewFromConfig(d.config()), cloudwatchlogs.NewFromConfig(d.config())
	_, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("flood")})
	d.check(err)
	_, err = logs.CreateLogStream(t.Context(),
		&cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String("flood"), LogStreamName: aws.String("s")})
	d.check(err)
	calls := func(what string) {
		var took []time.Duration
		for range 50 {
			begin := time.Now()
			if _, err := cache.DescribeReplicationGroups(t.Context(),
				&elasticache.DescribeReplicationGroupsInput{}); err != nil {
				t.Errorf("%s: an authorised call: %v", what, err)
			}
			took = append(took, time.Since(begin))
		}
		slices.Sort(took)
		t.Logf("%s: an authorised call took %s in the middle, %s at most", what, took[len(took)/2], took[len(took)-1])
		if middle := took[len(took)/2]; middle > 2*time.Second {
			t.Errorf("%s: an authorised call took %s", what, middle)
		}
	}
	calls("alone")
	leave := idle(t, strings.TrimPrefix(env["AWS_ENDPOINT_URL"], "http://"), 500)
	calls("beside 500 idle connections")
	leave()
	http.DefaultClient.CloseIdleConnections()

	sent, stop := plausible(t, env, 200)
	defer stop()
	d.eventually("the bodies are there", func() bool { return sent.Load() >= 100 })
	calls("beside 200 plausible bodies")
	text := strings.Repeat("x", 200<<10)
	for i := range 5 {
		var events []logtypes.InputLogEvent
		for range 5 {
			events = append(events, logtypes.InputLogEvent{Message: &text,
				Timestamp: aws.Int64(time.Now().UnixMilli())})
		}
		begin := time.Now()
		_, err := logs.PutLogEvents(t.Context(),
			&cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("flood"), LogStreamName: aws.String("s"),
				LogEvents: events})
		if err != nil || time.Since(begin) > 10*time.Second {
			t.Errorf("a body of 1 MiB, number %d, after %s: %v", i, time.Since(begin), err)
		}
	}
	for range 3 {
		begin := time.Now()
		if d.must("status"); time.Since(begin) > soon {
			t.Errorf("status took %s", time.Since(begin))
		}
	}
	if memory, _ := d.engineUses(); memory > 400<<10 {
		t.Errorf("the engine uses %d KiB", memory)
	}
}

// TestPlausibleWaitsForNoContinue: who expects to be told to go on with a body is told nothing before the request is
// admitted.
func TestPlausibleWaitsForNoContinue(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.clientEnv()["AWS_ENDPOINT_URL"],
		bytes.NewReader(make([]byte, 1<<16)))
	d.check(err)
	r.Header.Set("Expect", "100-continue")
	response, err := http.DefaultClient.Do(r)
	d.check(err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("an unsigned request is answered %s", response.Status)
	}
}
