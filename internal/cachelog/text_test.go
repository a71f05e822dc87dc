package cachelog_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"larder/internal/cachelog"
)

// TestTextOfARecord: the text form of a JSON record equals the record in text.
func TestTextOfARecord(t *testing.T) {
	words := rapid.StringMatching(`[ -~é]{0,40}`)
	rapid.Check(t, func(t *rapid.T) {
		slow := cachelog.Slow{
			ID: rapid.Int64Min(0).Draw(t, "id"), Time: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "at"), 0),
			Duration: time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "took")) * time.Microsecond,
			Args:     rapid.SliceOf(words).Draw(t, "args"), ClientAddress: "127.0.0.1:1", ClientName: words.Draw(t,
				"name"),
		}
		engine := cachelog.Engine{
			Role: "M", Time: slow.Time, Level: rapid.SampledFrom([]string{"VERBOSE", "NOTICE", "WARNING"}).Draw(t,
				"level"), Message: words.Draw(t, "message"),
		}
		for _, r := range []interface{ Record(cachelog.Source) string }{slow, engine} {
			if got, want := cachelog.Text(r.Record(asJSON)), r.Record(asText); got != want ||
				cachelog.Text(want) != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	})
	for _, other := range []string{"", "{", `{"a": 1}`, "anything"} {
		if got := cachelog.Text(other); got != other {
			t.Errorf("%q became %q", other, got)
		}
	}
}
