package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// quotes lists the texts behind which redis-server's log quotes data. A replica that cannot apply a command logs the
// rest of its replication stream. A failed assertion logs arguments and values. A protocol error logs what the client
// sent.
var quotes = [][]byte{
	[]byte("Latest backlog is: "), []byte("client->argv["), []byte("Query buffer during protocol error: "), []byte(
		"Object raw string content: "),
}

// redact overwrites what lines quote with asterisks, and reports whether there was any. The length does not change.
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

// redactLog redacts the log of a process, from where it ended the last time.
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
			whole = chunk // not a line of redis-server, which cuts lines off at 1 KiB
		}
		if len(whole) == 0 { // the end of the line is not written yet
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
