package redisnode_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"larder/internal/redisnode"
)

// fill writes data of several kinds, a tenth of them with an expiry, and a library of functions.
func (s *server) fill(keys int) {
	s.Helper()
	pipe := s.admin.Pipeline()
	for i := range keys {
		expiry := time.Duration(0)
		if i%10 == 0 {
			expiry = time.Hour
		}
		pipe.Set(s.Context(), fmt.Sprint("key-", i), strings.Repeat(fmt.Sprint(i), 20), expiry)
	}
	pipe.HSet(s.Context(), "hash", "field", "value")
	if _, err := pipe.Exec(s.Context()); err != nil {
		s.Fatal(err)
	}
	s.do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
}

// digest returns a checksum of all data with their expiries.
func (s *server) digest() string {
	s.Helper()
	return fmt.Sprint(s.do("DEBUG", "DIGEST"), s.do("FUNCTION", "LIST"), s.do("PEXPIRETIME", "key-0"))
}

func (s *server) dump() []byte {
	s.Helper()
	var out bytes.Buffer
	n, err := s.Dump(s.Context(), &out)
	if err != nil || n != int64(out.Len()) {
		s.Fatalf("%d bytes, said to be %d: %v", out.Len(), n, err)
	}
	return out.Bytes()
}

// dataSet returns an RDB file for a server to load.
func (f *field) dataSet(rdb []byte, secure bool) redisnode.DataSet {
	f.Helper()
	d := redisnode.DataSet{Size: int64(len(rdb)), Password: replicationPassword, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(rdb)), nil
	}}
	if secure {
		certificate, key, err := f.ca.Issue(time.Now(), "larder", nil, []netip.Addr{netip.MustParseAddr("127.0.0.1")})
		if err != nil {
			f.Fatal(err)
		}
		pair, err := tls.X509KeyPair(certificate, key)
		if err != nil {
			f.Fatal(err)
		}
		d.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	return d
}

func TestADataSetIsDumpedAndLoaded(t *testing.T) {
	f := newField(t)
	for name, change := range map[string]func(*redisnode.Config){"plain": nil, "TLS": withTLS} {
		t.Run(name, func(t *testing.T) {
			a, b := f.serving(change), f.start(change)
			a.fill(5000)
			if err := b.Load(t.Context(), f.dataSet(a.dump(), change != nil)); err != nil {
				t.Fatal(err)
			}
			if got, want := b.digest(), a.digest(); got != want {
				t.Errorf("loaded %s, want %s", got, want)
			}
			// A primary with an offset greater than 0 that serves nobody yet: to the planner it has data.
			if st := b.state(); !st.Primary || st.Offset == 0 || len(st.Serves) > 0 {
				t.Errorf("it says %+v", st)
			}
			if got := a.do("INFO", "replication").(string); !strings.Contains(got, "connected_slaves:0") {
				t.Errorf("the dump left a replica:\n%s", got)
			}
		})
	}
}

func TestADumpFromAReplicaAndWithALengthAnnounced(t *testing.T) {
	f := newField(t)
	a, b, c := f.serving(nil), f.serving(nil), f.start(nil)
	a.fill(1000)
	b.copyOf(a)
	b.do("CONFIG", "SET", "repl-diskless-sync", "no")
	if err := c.Load(t.Context(), f.dataSet(b.dump(), false)); err != nil {
		t.Fatal(err)
	}
	if got, want := c.digest(), a.digest(); got != want {
		t.Errorf("loaded %s, want %s", got, want)
	}
}

func TestADumpThatCannotBeTaken(t *testing.T) {
	f := newField(t)
	full := errors.New("the disk is full")
	a := f.serving(nil)
	a.fill(1000)
	if _, err := a.Dump(t.Context(), writer(func([]byte) (int, error) { return 0, full })); !errors.Is(err, full) {
		t.Errorf("to a writer that fails: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := a.Dump(ended, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	b := f.start(nil)
	b.follow(a)
	b.await("in sync", linked)
	if err := a.process.Stop(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	b.await("cut off", func(st redisnode.State) bool { return !st.LinkUp })
	if _, err := b.Dump(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "NOMASTERLINK") {
		t.Errorf("of a replica without a primary: %v", err)
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// TestADataSetThatIsNotWholeIsNotLoaded: an incomplete data set is not loaded at all.
func TestADataSetThatIsNotWholeIsNotLoaded(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.start(nil)
	a.fill(2000)
	rdb := a.dump()
	damaged := errors.New("it was changed")
	for name, change := range map[string]func(*redisnode.DataSet){
		"damaged half way": func(d *redisnode.DataSet) {
			d.Open = func() (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(bytes.NewReader(rdb[:len(rdb)/2]), iotest.ErrReader(damaged))), nil
			}
		},
		"not there": func(d *redisnode.DataSet) {
			d.Open = func() (io.ReadCloser, error) {
				return nil,
					damaged
			}
		},
		"read with a panic": func(d *redisnode.DataSet) {
			d.Open = func() (io.ReadCloser, error) { panic(damaged) }
		},
		"longer than it was": func(d *redisnode.DataSet) { d.Size-- },
		"another password":   func(d *redisnode.DataSet) { d.Password = "another" },
	} {
		t.Run(name, func(t *testing.T) {
			d := f.dataSet(rdb, false)
			change(&d)
			told := d.Password == replicationPassword && d.Size == int64(len(rdb))
			limit := patience
			if !told { // otherwise the node would retry forever
				limit = 2 * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err := b.Load(ctx, d)
			if err == nil {
				t.Fatal("it was loaded")
			}
			if told && !strings.Contains(err.Error(), damaged.Error()) {
				t.Errorf("the reason is lost: %v", err)
			}
			if n := b.do("DBSIZE"); n != int64(0) {
				t.Errorf("the node has %v keys", n)
			}
			if st := b.state(); st.Offset > 0 {
				t.Errorf("the node seems to have data: %+v", st)
			}
		})
	}
	if err := b.Load(t.Context(), f.dataSet(rdb, false)); err != nil {
		t.Fatalf("it cannot be loaded after all: %v", err)
	}
	if got, want := b.digest(), a.digest(); got != want {
		t.Errorf("loaded %s, want %s", got, want)
	}
}

func TestMemory(t *testing.T) {
	f := newField(t)
	a := f.start(nil)
	before, err := a.Memory(t.Context())
	if err != nil || before.Used <= 0 || fmt.Sprint(before.Limit) != a.get("maxmemory") {
		t.Fatal(before, err)
	}
	a.fill(10_000)
	if after, err := a.Memory(t.Context()); err != nil || after.Used < before.Used+10_000 {
		t.Errorf("%+v, then %+v, %v", before, after, err)
	}
}

// TestADataSetThatIsTooLarge: if there is too little memory, Load refuses the data before the node could evict any.
func TestADataSetThatIsTooLarge(t *testing.T) {
	f := newField(t)
	a, b := f.serving(nil), f.start(nil)
	a.fill(1000)
	d := f.dataSet(a.dump(), false)
	d.Limit = 1 << 20
	b.do("CONFIG", "SET", "maxmemory", d.Limit)
	if err := b.Load(t.Context(), d); err == nil || !strings.Contains(err.Error(), "the node has 1048576 for them") {
		t.Errorf("loaded with %v", err)
	}
	if st := b.state(); st.Primary {
		t.Errorf("it says %+v", st)
	}
	d.Limit = 0
	b.do("CONFIG", "SET", "maxmemory", 0)
	if err := b.Load(t.Context(), d); err != nil {
		t.Error(err)
	}
}
