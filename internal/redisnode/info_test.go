package redisnode_test

import (
	"testing"
)

func TestInfoHasTheSectionsAskedFor(t *testing.T) {
	s := newField(t).start(nil)
	info, err := s.Info(t.Context(), "server", "keyspace")
	if err != nil {
		t.Fatal(err)
	}
	if info["run_id"] == "" || info["used_memory"] != "" {
		t.Errorf("INFO server keyspace has %v", info)
	}
}

func TestAccessLog(t *testing.T) {
	s := newField(t).serving(nil)
	for range 3 {
		if err := s.client(s.config.Address, "default", "wrong").Ping(t.Context()).Err(); err == nil {
			t.Fatal("a wrong token is accepted")
		}
	}
	if err := s.client(s.config.Address, "default", token).Do(t.Context(), "CONFIG", "GET", "*").Err(); err == nil {
		t.Fatal("a client may read the configuration")
	}
	log, err := s.AccessLog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]string{}
	for _, entry := range log {
		counts[entry["reason"]+" "+entry["username"]] = entry["count"]
	}
	if counts["auth default"] == "" || counts["command default"] != "1" {
		t.Errorf("the log has %v", log)
	}
	info, err := s.Info(t.Context(), "errorstats")
	if err != nil || info["errorstat_WRONGPASS"] == "" || info["errorstat_NOPERM"] != "count=1" {
		t.Errorf("errors %v, %v", info, err)
	}
}
