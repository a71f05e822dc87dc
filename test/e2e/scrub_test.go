package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/app"
)

// TestDamageThatNobodyReadsIsFound: a bit of a log event's file flips, and nobody asks for the event. The engine finds
// that by itself, and `status` tells of it, with and without --json.
func TestDamageThatNobodyReadsIsFound(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	begin := make(chan time.Time)
	d.engine(app.Clock{Now: time.Now, After: func(wait time.Duration) <-chan time.Time {
		switch wait {
		case 10 * time.Minute: // until an engine looks for damage for the first time
			return begin
		case 24 * time.Hour: // and again
			return nil
		}
		return time.After(wait)
	}})
	ctx, logs, name := context.Background(), d.logs(), "/app"
	_, err := logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name})
	d.check(err)
	_, err = logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &name, LogStreamName: &name})
	d.check(err)
	for range 2 {
		_, err = logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: &name, LogStreamName: &name,
			LogEvents: []types.InputLogEvent{{Message: aws.String("text"), Timestamp: aws.Int64(time.Now().UnixMilli())}}})
		d.check(err)
	}
	files, err := filepath.Glob(filepath.Join(d.home, "logs", "*", "*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("there are the files %v, %v", files, err)
	}
	file, err := os.OpenFile(files[0], os.O_RDWR, 0)
	d.check(err)
	info, err := file.Stat()
	d.check(err)
	_, err = file.WriteAt([]byte{0xff, 0xff}, info.Size()-3)
	d.check(err)
	d.check(file.Close())
	type report struct {
		Damage []struct{ Check, Region, Message, Next string }
	}
	look := func() (r report) {
		d.check(json.Unmarshal([]byte(d.must("status", "--json")), &r))
		return r
	}
	if r := look(); r.Damage == nil || len(r.Damage) > 0 {
		t.Errorf("before anybody looked: %+v", r)
	}
	close(begin)
	d.eventually("the damage is found", func() bool { return len(look().Damage) > 0 })
	found := look().Damage[0]
	if found.Check != "damaged-logs" || found.Region != "us-east-1" ||
		!strings.Contains(found.Message, "/app: 00000001.log in logs/") || found.Next == "" {
		t.Errorf("it is said: %+v", found)
	}
	if said := d.larder("status").stderr; !strings.Contains(said, "Damaged log events: some events of 1 log groups") {
		t.Errorf("status says: %s", said)
	}
}
