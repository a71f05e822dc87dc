package connlimit_test

import "testing"

// TestProvenConnectionsStay: a connection whose request was kept stays when connections come of which nothing is known.
func TestProvenConnectionsStay(t *testing.T) {
	address, arrived, release := serve(t)
	close(release)
	proven := dial(t, address)
	ask(t, proven, "/keep")
	<-arrived
	if err := answered(proven); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		c := dial(t, address)
		ask(t, c, "/")
		if err := answered(c); err != nil {
			t.Fatal(err)
		}
	}
	ask(t, proven, "/")
	if err := answered(proven); err != nil {
		t.Errorf("a connection that was proven is gone: %v", err)
	}
}
