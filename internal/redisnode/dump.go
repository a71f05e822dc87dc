package redisnode

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// transferIdle is how long a transfer of a data set may make no progress. A server that prepares the data set sends an
// empty line every second.
const transferIdle = 15 * time.Second

// Dump copies the node's data set as an RDB file to w and returns its length in bytes. It reads what a full
// resynchronization sends to a replica. Nothing is written to disk.
func (n *Node) Dump(ctx context.Context, w io.Writer) (int64, error) {
	conn, err := n.dial(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot ask for the data set: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	d := dump{conn: conn, from: bufio.NewReaderSize(patient{conn}, 64<<10)}
	size, err := d.run(n.password, w)
	if ctx.Err() != nil {
		err = ctx.Err() // ctx ended, which closed the connection
	}
	if err != nil {
		return size, fmt.Errorf("cannot copy the data set: %w", err)
	}
	return size, nil
}

// patient sets a deadline for each read and write.
type patient struct{ net.Conn }

func (p patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(transferIdle)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

func (p patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(transferIdle)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

type dump struct {
	conn net.Conn
	from *bufio.Reader
}

func (d dump) run(password string, w io.Writer) (int64, error) {
	for _, command := range [][]string{
		{"AUTH", AdminUser, password},
		{"REPLCONF", "capa", "eof", "capa", "psync2"},
		// rdb-only: the server sends no writes after the data set, and so does not buffer them for a replica that never reads
		// them.
		{"REPLCONF", "rdb-only", "1"},
		{"PSYNC", "?", "-1"},
	} {
		if err := d.ask(command); err != nil {
			return 0, err
		}
	}
	header, err := d.line()
	if err != nil {
		return 0, err
	}
	if mark, ok := strings.CutPrefix(header, "$EOF:"); ok {
		return copyUntil(w, d.from, []byte(mark))
	}
	size, err := strconv.ParseInt(strings.TrimPrefix(header, "$"), 10, 64)
	if err != nil || !strings.HasPrefix(header, "$") {
		return 0, fmt.Errorf("the server announces it as %q", header)
	}
	return io.CopyN(w, d.from, size)
}

// ask sends a command and checks the answer.
func (d dump) ask(command []string) error {
	if _, err := (patient{d.conn}).Write(appendCommand(nil, command)); err != nil {
		return err
	}
	answer, err := d.line()
	if err == nil && !strings.HasPrefix(answer, "+") {
		err = fmt.Errorf("%s answers %q", command[0], answer)
	}
	return err
}

// line reads the next line that is not empty. Empty lines only signal that the server is alive.
func (d dump) line() (string, error) {
	for {
		line, err := d.from.ReadString('\n')
		if err != nil {
			return "", unexpected(err)
		}
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			return line, nil
		}
	}
}

func appendCommand(to []byte, args []string) []byte {
	to = fmt.Appendf(to, "*%d\r\n", len(args))
	for _, a := range args {
		to = fmt.Appendf(to, "$%d\r\n%s\r\n", len(a), a)
	}
	return to
}

// copyUntil copies what comes before the mark. The mark is random, ends the stream, and may arrive in pieces.
func copyUntil(to io.Writer, from io.Reader, mark []byte) (int64, error) {
	buffer := make([]byte, 64<<10)
	held, written := 0, int64(0)
	for {
		n, err := from.Read(buffer[held:])
		held += n
		done := bytes.HasSuffix(buffer[:held], mark)
		if out := held - len(mark); out > 0 {
			if _, err := to.Write(buffer[:out]); err != nil {
				return written, err
			}
			written += int64(out)
			held = copy(buffer, buffer[out:held])
		}
		if done {
			return written, nil
		}
		if err != nil {
			return written, unexpected(err)
		}
	}
}

// unexpected turns io.EOF into io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the server ended it half way: %w", io.EOF)
	}
	return err
}
