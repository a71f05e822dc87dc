package logs

import (
	"testing"

	"larder/internal/logstore"
)

// TestFilteredTellsOfDamage: the streams of a page with a damaged part are not searched completely; otherwise none is
// listed, as AWS does.
func TestFilteredTellsOfDamage(t *testing.T) {
	for damaged, want := range map[bool]int{false: 0, true: 1} {
		out := filtered(logstore.Query{}, logstore.Page{Damaged: damaged}, []stream{{ID: 1, Name: "s"}})
		if got := out.SearchedLogStreams; len(got) != want || want > 0 &&
			(*got[0].SearchedCompletely || *got[0].LogStreamName != "s") {
			t.Errorf("damaged %t: %+v", damaged, got)
		}
	}
}
