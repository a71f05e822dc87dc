package cachelog_test

import (
	"encoding/json"
	"strings"
	"testing"

	"larder/internal/cachelog"
)

// FuzzEngineLine: any line is skipped or becomes one record. A JSON record is valid JSON on one line.
func FuzzEngineLine(f *testing.F) {
	for _, line := range []string{
		"", "1:M 29 Oct 2020 20:12:20.499 * text", "1:M 29 Oct 2020 20:12:20.499 # \xff\x00\x1b[31m",
		"1:M 29 Oct 2020 20:12:20.499 -", "99999999999999999999:X ",
		"1:C 31 Feb 2020 20:12:20.499 * no such day", "{\"CacheClusterId\":\"a\"}", "1:S 29 Oct 2020 20:12:20.499 . ",
		strings.Repeat("x", 1<<16),
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		cachelog.Text(line)
		e, ok := cachelog.ParseEngine(line)
		if !ok {
			return
		}
		record := e.Record(asJSON)
		if !json.Valid([]byte(record)) || strings.Contains(record, "\n") {
			t.Errorf("%q becomes %q", line, record)
		}
		cachelog.Text(record)
	})
}
