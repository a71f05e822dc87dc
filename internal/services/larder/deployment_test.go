package larder

import (
	"path/filepath"
	"testing"

	"larder/internal/seal"
	"larder/internal/store"
)

// TestADeploymentWhoseOutputsCannotBeReadStopsNoOther: it is listed without them, so that it can be changed and
// deleted, and told of as unreadable.
func TestADeploymentWhoseOutputsCannotBeReadStopsNoOther(t *testing.T) {
	s, err := store.Open(filepath.Join(t.TempDir(), "larder.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sealer, err := seal.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	service := New(Config{Store: s, Sealer: sealer})
	for _, id := range []string{"a", "b", "c"} {
		in := &PutDeploymentInput{Deployment{ID: id, Outputs: `{"id":"` + id + `"}`}}
		if _, err := service.putDeployment(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	err = s.Update(func(tx *store.Tx) error {
		k, err := deployments.Get(tx, "b")
		if err != nil {
			return err
		}
		k.Sealed[len(k.Sealed)-1] ^= 1
		return deployments.Put(tx, "b", k)
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := service.describeDeployments(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`{"id":"a"}`, "", `{"id":"c"}`}
	for i, d := range out.Deployments {
		if i >= len(want) || d.Outputs != want[i] {
			t.Errorf("%s has the outputs %q", d.ID, d.Outputs)
		}
	}
	damaged, err := s.Unreadable()
	if err != nil || len(out.Deployments) != len(want) || len(damaged) != 1 || damaged[0].Key != "b" {
		t.Errorf("%d deployments; unreadable are %v, %v", len(out.Deployments), damaged, err)
	}
}
