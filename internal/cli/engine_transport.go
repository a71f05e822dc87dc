package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"larder/internal/app"
	"larder/internal/node/process"
)

// Why the engine of a state directory cannot be asked. An engineError is one of them.
var (
	errNotRunning = errors.New("no engine is running")
	errNotReady   = errors.New("the engine starts or ends")
	errNoAnswer   = errors.New("the engine does not answer")
)

// engineError says why the engine of a state directory cannot be asked, and what to do.
type engineError struct {
	kind error
	text string
}

func (e *engineError) Error() string { return e.text }
func (e *engineError) Unwrap() error { return e.kind }

// notRunning is an errNotRunning with the directory and what to do.
func (t *tool) notRunning(home app.Home) error {
	from := ""
	if t.Getenv("LARDER_HOME") != "" {
		from = " (LARDER_HOME)"
	}
	return &engineError{errNotRunning,
		fmt.Sprintf("%v on the state directory %s%s: start one with `larder up DIR` or `larder serve`", errNotRunning,
			home, from)}
}

// answerLimits are how long a command waits for the engine.
type answerLimits struct {
	look      time.Duration // between two looks at the engine's process
	suspended time.Duration // that the process may be stopped or frozen
	silent    time.Duration // until an answer begins, and between two parts of it
	farewell  time.Duration // for the answer to what was asked before the command was interrupted
}

// keepConn is how long a connection waits for the next request: a command that looks again and again connects anew each
// time.
const keepConn = 2 * time.Second

// An engine that is short of processor time answers late. One that is suspended does not answer at all.
var defaultAnswerLimits = answerLimits{look: 250 * time.Millisecond, suspended: 2 * time.Second,
	silent: 30 * time.Second, farewell: 10 * time.Second}

// engineTransport takes requests to the engine of a state directory. It tells why there is no answer.
type engineTransport struct {
	next       http.RoundTripper
	home       app.Home
	limits     answerLimits
	notRunning error
}

func (t *tool) newEngineTransport(home app.Home) *engineTransport {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return home.Dial(ctx) }
	return &engineTransport{&http.Transport{DialContext: dial, IdleConnTimeout: keepConn}, home, defaultAnswerLimits,
		t.notRunning(home)}
}

// errSilent and errSuspended are why a request was given up.
var (
	errSilent    = errors.New("no answer in time")
	errSuspended = errors.New("the process is suspended")
)

// RoundTrip implements http.RoundTripper. A request that is under way when its caller is cancelled still gets its
// answer, within limits.farewell: of one that is broken off nobody knows what it made, or will make yet.
func (e *engineTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	p := &pendingAnswer{transport: e, asked: r.Context(), progress: make(chan struct{}, 1),
		watched: make(chan struct{})}
	p.ctx, p.giveUp = context.WithCancelCause(context.WithoutCancel(r.Context()))
	go p.watch()
	response, err := e.next.RoundTrip(r.WithContext(p.ctx))
	if err != nil {
		err = p.explain(err)
		p.stop()
		return nil, err
	}
	p.moved()
	p.body, response.Body = response.Body, p
	return response, nil
}

// pendingAnswer is a request that the engine has not answered in full yet: the body of its response.
type pendingAnswer struct {
	transport *engineTransport
	body      io.ReadCloser
	asked     context.Context // the caller's
	ctx       context.Context // ends when the request is given up
	giveUp    context.CancelCauseFunc
	progress  chan struct{}
	watched   chan struct{} // closed when nobody watches any more
}

// Read implements io.Reader.
func (p *pendingAnswer) Read(b []byte) (int, error) {
	n, err := p.body.Read(b)
	p.moved()
	if err != nil && err != io.EOF {
		err = p.explain(err)
	}
	return n, err
}

// Close implements io.Closer.
func (p *pendingAnswer) Close() error {
	err := p.body.Close()
	p.stop()
	return err
}

func (p *pendingAnswer) stop() {
	p.giveUp(nil)
	<-p.watched
}

// moved says that a part of the answer came.
func (p *pendingAnswer) moved() {
	select {
	case p.progress <- struct{}{}:
	default:
	}
}

func (p *pendingAnswer) explain(err error) error {
	if p.asked.Err() != nil { // the caller has gone
		return err
	}
	return p.transport.explain(err, context.Cause(p.ctx))
}

// watch gives the request up when the engine is suspended or silent for too long, and when its caller has no more
// time. A caller that is cancelled waits for the answer a little longer.
func (p *pendingAnswer) watch() {
	defer close(p.watched)
	home, limits := p.transport.home, p.transport.limits
	tick := time.NewTicker(limits.look)
	defer tick.Stop()
	silent := time.NewTimer(limits.silent)
	defer silent.Stop()
	left, farewell := p.asked.Done(), (<-chan time.Time)(nil)
	var still stillness
	pid := 0
	for {
		select {
		case <-left:
			left = nil
			if p.asked.Err() != context.Canceled {
				p.giveUp(p.asked.Err())
			}
			farewell = time.After(limits.farewell)
		case <-farewell:
			p.giveUp(p.asked.Err())
		case <-p.progress:
			silent.Reset(limits.silent)
			still = stillness{}
		case <-silent.C:
			p.giveUp(errSilent)
		case now := <-tick.C:
			if pid == 0 && home.Answers() == nil {
				pid, _, _ = home.Holder() // explain asks again, and tells the error
			}
			if pid != 0 && still.since(pid, now) >= limits.suspended {
				p.giveUp(errSuspended)
			}
		case <-p.ctx.Done():
			return
		}
	}
}

// stillness is how long a process has been suspended, as far as looks at it tell. One that was run in between has used
// processor time.
type stillness struct {
	begin time.Time
	used  time.Duration
}

func (s *stillness) since(pid int, now time.Time) time.Duration {
	suspended, used, err := process.Activity(pid)
	if err != nil || !suspended || used != s.used || s.begin.IsZero() { // one that has ended closes its connections
		s.begin, s.used = now, used
	}
	return now.Sub(s.begin)
}

// explain tells why there is no answer: err is what the request ended with, and cause why it was given up, if it was.
func (e *engineTransport) explain(err, cause error) error {
	var stranger *app.StrangerError
	if errors.As(err, &stranger) {
		return &engineError{err, stranger.Error()}
	}
	if err := e.home.Answers(); err != nil {
		return err
	}
	pid, held, errHolder := e.home.Holder()
	if errHolder != nil {
		return errors.Join(err, errHolder)
	}
	if !held {
		return e.notRunning
	}
	who, end := "the engine", "ending its process"
	if pid != 0 {
		who, end = fmt.Sprintf("the engine (process %d)", pid), fmt.Sprintf("`kill %d`", pid)
	}
	what := fmt.Sprintf("%s does not answer at %s", who, e.home.SocketFile())
	switch {
	case errors.Is(cause, errSuspended):
		return &engineError{errNoAnswer,
			fmt.Sprintf("%s: it is suspended, by SIGSTOP, a debugger or the freezer of its cgroup\n"+
				"next: `kill -CONT %d` lets it go on; %s first, and it ends then (its nodes go on)", what, pid, end)}
	case errors.Is(cause, errSilent):
		return &engineError{errNoAnswer,
			fmt.Sprintf("%s within %s: it hangs, or is short of processor time or memory\n"+
				"next: see %s, and try again; %s ends the engine, and its nodes go on", what, e.limits.silent,
				e.home.LogFile(), end)}
	}
	return &engineError{errNotReady, fmt.Sprintf("%s: it starts, ends, or is of an earlier larder (%v)\n"+
		"next: see %s, and try again; %s ends the engine, and its nodes go on", what, err, e.home.LogFile(), end)}
}
