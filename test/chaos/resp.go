package chaos

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"larder/internal/redisnode"
)

// refused is a server's error answer: the command was not run.
type refused string

func (r refused) Error() string { return string(r) }

// conn is one connection to one server. Nothing reconnects or repeats behind its back: what is recorded is what
// happened.
type conn struct {
	net.Conn
	reader   *bufio.Reader
	patience time.Duration // with one answer
	term     Term          // when it was opened
}

// connect dials, and says nothing yet.
func connect(ctx context.Context, dial func(context.Context) (net.Conn, error), patience time.Duration) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	raw, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: raw, reader: bufio.NewReader(raw), patience: patience}, nil
}

// open dials, logs in and asks the server who it is.
func open(ctx context.Context, dial func(context.Context) (net.Conn, error), patience time.Duration,
	credential ...string) (*conn, error) {
	c, err := connect(ctx, dial, patience)
	if err != nil {
		return nil, err
	}
	if _, err := c.do(append([]string{"AUTH"}, credential...)...); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	info, err := c.info()
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.term = Term{info["run_id"], info["master_replid"]}
	return c, nil
}

// info reads the sections of INFO that tell a server's identity and role.
func (c *conn) info() (map[string]string, error) {
	text, err := c.text("INFO", "server", "replication")
	return redisnode.Fields(text), err
}

// do sends a command and reads its answer: a string, an int64, nil, or a list of these.
func (c *conn) do(args ...string) (any, error) {
	if err := c.SetDeadline(time.Now().Add(c.patience)); err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(c.Conn, b.String()); err != nil {
		return nil, err
	}
	return c.answer()
}

// text runs a command that answers a string.
func (c *conn) text(args ...string) (string, error) {
	answer, err := c.do(args...)
	if err != nil {
		return "", err
	}
	s, ok := answer.(string)
	if !ok {
		return "", fmt.Errorf("%s answered %v, want a string", args[0], answer)
	}
	return s, nil
}

func (c *conn) answer() (any, error) {
	line, err := c.reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return nil, errors.New("an empty answer")
	}
	switch kind, rest := line[0], line[1:]; kind {
	case '+':
		return rest, nil
	case '-':
		return nil, refused(rest)
	case ':':
		return strconv.ParseInt(rest, 10, 64)
	case '$':
		return c.bulk(rest)
	case '*':
		return c.list(rest)
	}
	return nil, fmt.Errorf("cannot read the answer %q", line)
}

func (c *conn) bulk(length string) (any, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 {
		return nil, err
	}
	data := make([]byte, n+2) // the line end too
	_, err = io.ReadFull(c.reader, data)
	return string(data[:n]), err
}

func (c *conn) list(length string) (any, error) {
	n, err := strconv.Atoi(length)
	if err != nil || n < 0 {
		return nil, err
	}
	all := make([]any, n)
	for i := range all {
		if all[i], err = c.answer(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
