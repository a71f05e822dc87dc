package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// quotes are what redis-server's log has before it quotes data: what is left of its replication stream, when a replica
// cannot do what its primary did; arguments and values, when an assertion fails; what a client sent, when it breaks the
// protocol.
var quotes = [][]byte{
	[]byte("Latest backlog is: "), []byte("client->argv["), []byte("Query buffer during protocol error: "), []byte(
		"Object raw string content: "),
}

// redact puts asterisks over what lines quote, and tells whether there was any. Nothing moves.
func redact(lines []byte) (found bool) {
	for line := range bytes.Lines(lines) {
		for _, quote := range quotes {
			_, data, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), quote)
			if !ok {
				continue
			}
			for i := range data {
				found = found || data[i] != '*'
				data[i] = '*'
			}
		}
	}
	return found
}

// redactLog does so in the log of a process, from where it was done before.
func (p *process) redactLog() error {
	f, err := os.OpenFile(filepath.Join(p.dir, logName), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	p.redacting.Lock()
	defer p.redacting.Unlock()
	info, err := f.Stat()
	if err != nil || info.Size() == p.redacted {
		return err
	}
	p.redacted = max(p.redacted, info.Size()-maxLog-slackLog)
	for chunk := make([]byte, 256<<10); ; {
		n, err := f.ReadAt(chunk, p.redacted)
		whole := chunk[:bytes.LastIndexByte(chunk[:n], '\n')+1]
		if len(whole) == 0 && n == len(chunk) {
			whole = chunk // it is no line of redis-server's, which cuts them off at 1 KiB
		}
		if len(whole) == 0 { // the line's end is yet to come
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if redact(whole) {
			if _, err := f.WriteAt(whole, p.redacted); err != nil {
				return err
			}
		}
		p.redacted += int64(len(whole))
	}
}
