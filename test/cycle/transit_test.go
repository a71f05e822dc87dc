package cycle

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// TestEncryptionInTransit takes a group without TLS to TLS with a token, and another way back, by the steps that the
// provider plans in place; a client writes all the time, and each plan after an apply is empty.
func TestEncryptionInTransit(t *testing.T) {
	t.Parallel()
	s := newStack(t, "staging")
	before := s.census()
	const on, off = "transit_encryption_enabled = true", "transit_encryption_enabled = false"
	const token, noToken = "auth_token_enabled         = true", "auth_token_enabled         = false"
	mode := func(m string) string { return on + "\n  transit_encryption_mode = \"" + m + "\"" }
	s.change(`module "redis" {`, "output \"redis_connection_string\" {\n"+
		"  value     = module.redis.redis_connection_string\n  sensitive = true\n}\n\nmodule \"redis\" {")
	s.change(on, off)
	s.change(token, noToken)
	s.apply()
	created := s.created()
	s.wantTransit("redis://", true, false, "")

	primary, err := s.cloud.primary()
	if err != nil {
		t.Fatal(err)
	}
	w := writeAnyhow(s.cloud, primary)
	defer w.end()
	s.change(off, on)
	s.refused("Direct transition from transit-encryption-disabled to transit-encryption-enabled is not allowed")
	s.change(on, mode("preferred"))
	s.unmoved("rediss://", true, true, "")
	s.change(mode("preferred"), on) // as the group has it
	s.unmoved("rediss://", true, true, "")
	s.change(on, off)
	s.unmoved("redis://", true, false, "")
	s.change(off, mode("preferred"))
	s.unmoved("rediss://", true, true, "")
	s.change(mode("preferred"), mode("required"))
	s.change(noToken, token)
	s.unmoved("rediss://", false, true, firstToken)
	s.change(mode("required"), mode("preferred"))
	s.change(token, noToken)
	s.refused("Transit encryption preferred is not supported with redis access control")
	s.change(noToken, token)
	s.change(mode("preferred"), mode("required"))

	if got := s.created(); got != created {
		t.Errorf("the group was created at %s, and is another one of %s now", created, got)
	}
	acknowledged := w.end()
	client := s.cloud.connect(primary, firstToken)
	defer client.Close()
	for _, key := range acknowledged {
		if err := client.Get(t.Context(), key).Err(); err != nil {
			t.Errorf("the write of %s was acknowledged: %v", key, err)
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("%d writes were acknowledged", len(acknowledged))
	}
	s.destroy()
	s.sameCensus(before)
}

// unmoved applies, and checks that the group was changed in place, and how clients can connect now.
func (s *stack) unmoved(scheme string, plain, secure bool, token string) {
	s.t.Helper()
	if out := s.apply(); strings.Contains(out, replaced) {
		s.t.Errorf("the group was replaced:\n%s", out)
	}
	s.wantTransit(scheme, plain, secure, token)
}

// refused applies what is planned in place and that the API refuses.
func (s *stack) refused(text string) {
	s.t.Helper()
	out, err := s.try("terraform", "apply", "-auto-approve", "-no-color", "-input=false")
	flat := strings.Join(strings.Fields(strings.NewReplacer("│", "").Replace(string(out))), " ")
	if err == nil || !strings.Contains(flat, text) || strings.Contains(flat, replaced) {
		s.t.Errorf("apply: %v, without %q:\n%s", err, text, out)
	}
}

// wantTransit checks who gets an answer from the primary and the reader endpoint, and what the output says.
func (s *stack) wantTransit(scheme string, plain, secure bool, token string) {
	s.t.Helper()
	out := s.run("terraform", "output", "-raw", "-no-color", "redis_connection_string")
	if !strings.HasPrefix(out, scheme) {
		s.t.Errorf("the connection string is %q, want %s…", out, scheme)
	}
	g, err := s.cloud.group()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, end := range []string{address(g.NodeGroups[0].PrimaryEndpoint), address(g.NodeGroups[0].ReaderEndpoint)} {
		for _, c := range []struct {
			client *redis.Client
			want   bool
		}{{s.cloud.plain(end), plain}, {s.cloud.connectWith(end, writerPatience, as(token)), secure}} {
			err := c.client.Ping(s.t.Context()).Err()
			c.client.Close()
			if (err == nil) != c.want {
				s.t.Errorf("%s answers %v; clients without TLS: %t, with: %t", end, err, plain, secure)
			}
		}
	}
}

func as(token string) func(context.Context) (user, token string, err error) {
	return func(context.Context) (string, string, error) { return "", token, nil }
}

// plain makes a client without TLS and token.
func (c *cloud) plain(address string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: address, Protocol: 2, MaxRetries: -1, DialerRetries: 1,
		DisableIdentity: true, PoolSize: failedDials, ReadTimeout: writerPatience, DialTimeout: writerPatience})
}

// anyhow writes with TLS or without it, whichever is taken, each key once.
type anyhow struct {
	stop         context.CancelFunc
	done         sync.WaitGroup
	acknowledged []string
}

func writeAnyhow(c *cloud, primary string) *anyhow {
	ctx, cancel := context.WithCancel(context.Background())
	w := &anyhow{stop: cancel}
	clients := []*redis.Client{c.plain(primary), c.connectWith(primary, writerPatience, as("")),
		c.connectWith(primary, writerPatience, as(firstToken))}
	w.done.Go(func() {
		tick := time.NewTicker(writePause)
		defer tick.Stop()
		for n, i := 0, 0; ctx.Err() == nil; n++ {
			<-tick.C
			key := fmt.Sprint("anyhow-", n)
			if err := clients[i].Set(ctx, key, n, 0).Err(); err != nil {
				i = (i + 1) % len(clients)
				continue
			}
			w.acknowledged = append(w.acknowledged, key)
			if len(w.acknowledged)%100 == 0 {
				i = (i + 1) % len(clients)
			}
		}
		for _, client := range clients {
			client.Close()
		}
	})
	return w
}

// end ends the writer, and returns the keys that were acknowledged.
func (w *anyhow) end() []string {
	w.stop()
	w.done.Wait()
	return w.acknowledged
}
