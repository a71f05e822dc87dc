package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// redisConn is one connection to a redis-server or a sentinel, with nothing between the caller and the wire: a client
// library's pool has its own ideas of when to connect again.
type redisConn struct {
	net.Conn
	in *bufio.Reader
}

// access is what it takes to be let in by servers of one kind.
type access struct {
	config      *tls.Config
	user, token string // no AUTH with an empty token
}

// answerLimit is how long a server may take for an answer before a client gives the connection up.
const answerLimit = 100 * time.Millisecond

// connect opens a connection within limit, which from then on bounds each answer.
func (a access) connect(ctx context.Context, address netip.AddrPort, limit time.Duration) (*redisConn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dialer := tls.Dialer{Config: a.config}
	conn, err := dialer.DialContext(ctx, "tcp", address.String())
	if err != nil {
		return nil, err
	}
	c := &redisConn{conn, bufio.NewReader(conn)}
	if a.token == "" {
		return c, nil
	}
	if _, err := c.do(limit, "AUTH", a.user, a.token); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// do sends a command and reads its answer within limit.
func (c *redisConn) do(limit time.Duration, args ...string) (any, error) {
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	if _, err := c.Write(encoded(args)); err != nil {
		return nil, err
	}
	return c.read()
}

func encoded(args []string) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b
}

// read reads one answer: a string, an int64, nil or a slice of these. An error answer is an error.
func (c *redisConn) read() (any, error) {
	head, err := c.in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, text := head[0], strings.TrimSpace(head[1:])
	switch kind {
	case '+':
		return text, nil
	case '-':
		return nil, errors.New(text)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the answer %q", head)
	case kind == ':':
		return n, nil
	case n < 0:
		return nil, nil
	case kind == '$':
		body := make([]byte, n+2)
		_, err := io.ReadFull(c.in, body)
		return string(body[:max(0, len(body)-2)]), err
	case kind == '*':
		list := make([]any, n)
		for i := range list {
			if list[i], err = c.read(); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	return nil, fmt.Errorf("cannot read the answer %q", head)
}

// once runs one command on a connection of its own.
func (a access) once(ctx context.Context, address netip.AddrPort, args ...string) (any, error) {
	const patience = 5 * time.Second
	c, err := a.connect(ctx, address, patience)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %s: %w", address, err)
	}
	answer, err := c.do(patience, args...)
	if err != nil {
		err = fmt.Errorf("%s refused %s: %w", address, args[0], err)
	}
	return answer, errors.Join(err, c.Close())
}

// texts reads an answer that is a list of strings.
func texts(answer any) ([]string, error) {
	list, ok := answer.([]any)
	if !ok {
		return nil, fmt.Errorf("cannot read %v as a list", answer)
	}
	var all []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil, fmt.Errorf("cannot read %v as a list of strings", answer)
		}
		all = append(all, s)
	}
	return all, nil
}
