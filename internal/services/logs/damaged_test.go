package logs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// TestReadersLearnOfDamage: with a flipped bit in a file of events the others are read, a search says that it is not
// complete, and the log group is named with its file.
func TestReadersLearnOfDamage(t *testing.T) {
	s := newServer(t)
	s.create(t, "g")
	must(s.CreateLogStream(t.Context(), &sdk.CreateLogStreamInput{LogGroupName: new("g"), LogStreamName: new("s")}))(t)
	for _, text := range []string{"one", "two"} {
		must(s.PutLogEvents(t.Context(), &sdk.PutLogEventsInput{
			LogGroupName: new("g"), LogStreamName: new("s"),
			LogEvents: []types.InputLogEvent{{Message: &text, Timestamp: new(s.now.UnixMilli())}},
		}))(t)
	}
	if damaged := must(s.logs.Damaged())(t); len(damaged) != 0 {
		t.Errorf("before there is damage: %v", damaged)
	}
	files := must(filepath.Glob(filepath.Join(s.dir, "*", "*.log")))(t)
	content := must(os.ReadFile(files[0]))(t)
	content[len(content)-1] ^= 4
	if err := os.WriteFile(files[0], content, 0o600); err != nil {
		t.Fatal(err)
	}
	out := must(s.FilterLogEvents(t.Context(), &sdk.FilterLogEventsInput{LogGroupName: new("g")}))(t)
	if len(out.Events) != 1 || *out.Events[0].Message != "one" {
		t.Errorf("the events are %v", out.Events)
	}
	if searched := out.SearchedLogStreams; len(searched) != 1 || aws.ToBool(searched[0].SearchedCompletely) {
		t.Errorf("searched are %v", searched)
	}
	want := "g: 00000001.log in logs/" + filepath.Base(filepath.Dir(files[0]))
	if damaged := must(s.logs.Damaged())(t); len(damaged) != 1 || damaged[0] != want {
		t.Errorf("damaged are %q, want %q", damaged, want)
	}
}
