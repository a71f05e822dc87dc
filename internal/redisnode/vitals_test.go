package redisnode_test

import "testing"

func TestVitals(t *testing.T) {
	s := newField(t).start(nil)
	none, err := s.Vitals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if none.SlowLogLength != 0 || none.SlowLogLast != -1 || none.SlowLogTook != 0 {
		t.Errorf("an empty slow log is %+v", none)
	}
	s.do("CONFIG", "SET", "slowlog-log-slower-than", "0")
	s.do("SET", "key", "value")
	s.do("CONFIG", "SET", "slowlog-log-slower-than", "-1")
	v, err := s.Vitals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v.SlowLogLength < 2 || v.SlowLogLast != v.SlowLogLength-1 || v.SlowLogTook <= 0 {
		t.Errorf("the slow log is %d entries, the newest %d, which took %s", v.SlowLogLength, v.SlowLogLast,
			v.SlowLogTook)
	}
	for _, field := range []string{"run_id", "used_memory", "total_commands_processed", "role",
		"used_cpu_user_main_thread", "cmdstat_set", "cluster_enabled", "db0"} {
		if v.Info[field] == "" {
			t.Errorf("%s is not there", field)
		}
	}
}
