package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	writers      = 4
	registerKeys = 3
	clients      = 3 // of the registers
	pace         = time.Millisecond
	retry        = 2 * time.Millisecond // after an error, before the next connection
	// clientPatience is how long a client waits for one answer. A server that is stopped shows as such a wait.
	clientPatience = time.Second
	// readsPerConnection has a reader come back for another replica often.
	readsPerConnection = 20
)

// load is a set of clients at work, each recording on its own until all are stopped.
type load struct {
	endpoints clientEndpoints
	begin     time.Time // times count from here
	round     int       // names the keys
	stopping  atomic.Bool
	acked     atomic.Int64
	running   sync.WaitGroup

	mu     sync.Mutex
	record record
}

// clientEndpoints opens connections as an application does: TLS, the CA, the token.
type clientEndpoints interface {
	primary(context.Context) (*conn, error)
	reader(context.Context) (*conn, error)
}

// record is all that the clients of a load saw.
type record struct {
	writes    []Write
	registers []porcupine.Operation
	reads     []read
}

// read is an answer of the reader endpoint: the last number it had of writer 0.
type read struct {
	invoked, answered time.Duration
	number            int
}

func listKey(round, writer int) string  { return fmt.Sprintf("chaos:%d:list:%d", round, writer) }
func registerKey(round, key int) string { return fmt.Sprintf("chaos:%d:register:%d", round, key) }

// startLoad puts clients to work; stop ends them.
func startLoad(ctx context.Context, e clientEndpoints, begin time.Time, round int) *load {
	l := &load{endpoints: e, begin: begin, round: round}
	for w := range writers {
		l.running.Go(func() { l.write(ctx, w) })
	}
	for c := range clients {
		l.running.Go(func() { l.useRegisters(ctx, c) })
	}
	l.running.Go(func() { l.read(ctx) })
	return l
}

// stop lets every client finish what it is at, and returns what they saw.
func (l *load) stop() record {
	l.stopping.Store(true)
	l.running.Wait()
	return l.record
}

func (l *load) now() time.Duration { return time.Since(l.begin) }

func (l *load) ends(ctx context.Context) bool { return l.stopping.Load() || ctx.Err() != nil }

// keep runs use on a connection, and on a new one whenever it fails, until the load ends. A refusal leaves the
// connection too: what answers READONLY is no primary.
func (l *load) keep(ctx context.Context, dial func(context.Context) (*conn, error), use func(*conn) error) {
	for !l.ends(ctx) {
		c, err := dial(ctx)
		if err == nil {
			for err == nil && !l.ends(ctx) {
				if err = use(c); err == nil {
					time.Sleep(pace)
				}
			}
			c.Close() // broken, or done with
		}
		if err != nil {
			time.Sleep(retry)
		}
	}
}

// write appends 1, 2, 3 and so on to the writer's list. A number whose answer did not come is not tried again.
func (l *load) write(ctx context.Context, writer int) {
	var writes []Write
	number := 0
	l.keep(ctx, l.endpoints.primary, func(c *conn) error {
		number++
		w := Write{Writer: writer, Number: number, Invoked: l.now(), By: c.term}
		_, err := c.do("RPUSH", listKey(l.round, writer), strconv.Itoa(number)+padding)
		w.Answered, w.Acked = l.now(), err == nil
		if !errors.As(err, new(refused)) {
			writes = append(writes, w)
		}
		if w.Acked {
			l.acked.Add(1)
		}
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.writes = append(l.record.writes, writes...)
}

// useRegisters reads, sets and counts up a few keys that all clients share.
func (l *load) useRegisters(ctx context.Context, client int) {
	var history []porcupine.Operation
	random := rand.New(rand.NewPCG(uint64(l.round), uint64(client)))
	value := int64(0)
	l.keep(ctx, l.endpoints.primary, func(c *conn) error {
		a := action{key: random.IntN(registerKeys), verb: []string{"GET", "SET", "INCR"}[random.IntN(3)]}
		args := []string{a.verb, registerKey(l.round, a.key)}
		if a.verb == "SET" {
			value++
			a.value = int64(client+1)*1e9 + value*1e4 // far from what counting up reaches, and nobody else's
			args = append(args, strconv.FormatInt(a.value, 10))
		}
		o := porcupine.Operation{ClientId: client, Input: a, Call: int64(l.now())}
		answer, err := c.do(args...)
		o.Return, o.Output = int64(l.now()), outcome{value: number(answer)}
		switch {
		case errors.As(err, new(refused)), err != nil && a.verb == "GET": // nothing came of it
			return err
		case err != nil:
			o.Return, o.Output = never, outcome{unknown: true}
		}
		history = append(history, o)
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.registers = append(l.record.registers, history...)
}

// padding makes elements long enough for a replica that is away for a second or two to need a full copy.
var padding = ":" + strings.Repeat("x", 500)

// number reads an answer that is one, or begins with one; nothing, or a text that is none, is 0.
func number(answer any) int64 {
	switch v := answer.(type) {
	case int64:
		return v
	case string:
		digits, _, _ := strings.Cut(v, ":")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err == nil {
			return n
		}
	}
	return 0
}

// read asks the reader endpoint for the end of writer 0's list, on a new connection now and then.
func (l *load) read(ctx context.Context) {
	var reads []read
	left := readsPerConnection
	l.keep(ctx, l.endpoints.reader, func(c *conn) error {
		if left--; left < 0 {
			left = readsPerConnection
			return errors.New("time for another replica")
		}
		r := read{invoked: l.now()}
		answer, err := c.do("LINDEX", listKey(l.round, 0), "-1")
		if err == nil {
			r.answered, r.number = l.now(), int(number(answer))
			reads = append(reads, r)
		}
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record.reads = append(l.record.reads, reads...)
}
