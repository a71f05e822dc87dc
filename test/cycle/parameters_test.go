package cycle

import "testing"

// Parameter groups of every family that the provider knows apply, plan empty, change, and leave nothing.
func TestParameterGroupsOfEveryFamily(t *testing.T) {
	t.Parallel()
	s := newBare(t, "parameters")
	own := func() (n int) {
		t.Helper()
		return len(s.census()["parameter group"])
	}
	before := own()
	s.apply()
	if n := own(); n != before+11 {
		t.Errorf("there are %d parameter groups, and %d before", n, before)
	}
	s.env = append(s.env, "TF_VAR_timeout=90")
	s.apply()
	s.destroy()
	if n := own(); n != before {
		t.Errorf("%d parameter groups are left, and there were %d", n, before)
	}
}
