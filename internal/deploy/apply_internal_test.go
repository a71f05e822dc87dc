package deploy

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/module"
)

// TestWhatIsPlannedStaysRecorded: of steps that go side by side one records, another waits for it, and meanwhile a
// third plans something. Whoever kills the apply then finds that too.
func TestWhatIsPlannedStaysRecorded(t *testing.T) {
	first, second, third := Resource{Kind: topicKind, Name: "first"}, Resource{Kind: topicKind,
		Name: "second"}, Resource{Kind: topicKind, Name: "third"}
	var a *apply
	var waiting sync.WaitGroup
	var recorded []Resource
	a = &apply{
		desired: module.Resources{ReplicationGroup: &elasticache.CreateReplicationGroupInput{ReplicationGroupId: new("g")}},
		Deployer: &Deployer{Record: func(ctx context.Context, all []Resource) error {
			if recorded == nil {
				waiting.Go(func() {
					if err := a.recordAhead(ctx, second); err != nil {
						t.Error(err)
					}
				})
				time.Sleep(50 * time.Millisecond) // in which it comes to wait
				a.keep(third)
			}
			recorded = all
			return nil
		}},
	}
	if err := a.recordAhead(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	waiting.Wait()
	for _, r := range []Resource{first, second, third} {
		if !slices.Contains(recorded, r) {
			t.Errorf("the %s one is not recorded: %+v", r.Name, recorded)
		}
	}
}
