package redisnode_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"larder/internal/redisnode"
)

func blocks(info os.FileInfo) int64 { return info.Sys().(*syscall.Stat_t).Blocks * 512 }

// TestErrorsThatScriptsMakeUp: invented errors do not affect other readings, and are removed.
func TestErrorsThatScriptsMakeUp(t *testing.T) {
	s := newField(t).serving(nil)
	c := s.client(s.config.Address, "", token)
	pipe := c.Pipeline()
	for i := range 20_000 {
		pipe.Eval(t.Context(), `return redis.error_reply(ARGV[1] .. ' is an error')`, nil, fmt.Sprint("E", i))
	}
	pipe.Exec(t.Context()) // each returns an error
	v, err := s.Vitals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if kinds := errorsOf(v.Info); kinds == 0 || kinds > 2000 || v.Info["used_memory"] == "" ||
		v.Info["cmdstat_eval"] == "" {
		t.Errorf("vitals: %d kinds of errors; %s bytes used", kinds, v.Info["used_memory"])
	}
	first, err := s.Info(t.Context(), "stats", "commandstats", "errorstats")
	if err == nil || !strings.Contains(err.Error(), "kinds of errors") || first["cmdstat_eval"] == "" {
		t.Errorf("%s errors, %v", first["total_error_replies"], err)
	}
	next, err := s.Info(t.Context(), "stats", "errorstats")
	if err != nil || errorsOf(next) != 0 || first[redisnode.ResetsField] == next[redisnode.ResetsField] {
		t.Errorf("afterwards %d kinds, %v; resets %s, before %s", errorsOf(next), err, next[redisnode.ResetsField],
			first[redisnode.ResetsField])
	}
	c.Do(t.Context(), "GET")
	if got, err := s.Info(t.Context(), "errorstats"); err != nil || errorsOf(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

func errorsOf(info map[string]string) (kinds int) {
	for name := range info {
		if strings.HasPrefix(name, "errorstat_") {
			kinds++
		}
	}
	return kinds
}

// TestALongNameCostsNoReading: each State reads the newest entry of the slow log, which contains the client's name.
func TestALongNameCostsNoReading(t *testing.T) {
	s := newField(t).serving(func(c *redisnode.Config) { c.Directives["slowlog-log-slower-than"] = "20000" })
	c := s.client(s.config.Address, "", token)
	conn := c.Conn()
	defer conn.Close()
	if err := conn.Do(t.Context(), "CLIENT", "SETNAME", strings.Repeat("n", 100<<20)).Err(); err != nil {
		t.Fatal(err)
	}
	s.do("CONFIG", "SET", "slowlog-log-slower-than", "0")
	if err := conn.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.do("CONFIG", "SET", "slowlog-log-slower-than", "-1")
	for i := range 20 {
		begin := time.Now()
		if st := s.state(); !st.Primary || len(st.Serves) != 1 {
			t.Fatalf("%d: %+v", i, st)
		}
		if took := time.Since(begin); i > 0 && took > time.Second {
			t.Errorf("%d: took %s", i, took)
		}
	}
	if v, err := s.Vitals(t.Context()); err != nil || v.Info["used_memory"] == "" || v.SlowLogLength == 0 {
		t.Errorf("vitals: %d entries, %v", v.SlowLogLength, err)
	}
	if _, err := s.SlowLog(t.Context(), 10); err == nil {
		t.Error("an answer of 100 MiB is taken")
	}
	s.do("SLOWLOG", "RESET")
	if log, err := s.SlowLog(t.Context(), 10); err != nil || log.Newest != -1 {
		t.Errorf("afterwards: %+v, %v", log, err)
	}
}
