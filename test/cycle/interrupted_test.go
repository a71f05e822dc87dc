package cycle

import (
	"regexp"
	"strings"
	"syscall"
	"testing"
)

const group = "module.redis.aws_elasticache_replication_group.this"

// createdLogGroups are the lines that say of a log group that it is there.
var createdLogGroups = regexp.MustCompile(`aws_cloudwatch_log_group\.this\[.*\]: Creation complete`)

// A signal that Terraform can handle lets it write down what there is: the next apply makes the rest, and makes the
// group again, which it does not trust.
func TestAStoppedApplyIsTakenUp(t *testing.T) {
	t.Parallel()
	s := newStack(t, "development")
	before := s.census()
	said := s.interruptedApply(syscall.SIGINT, s.groupIsThere)
	if !strings.Contains(said, "Interrupt received") {
		t.Errorf("Terraform did not stop in order:\n%s", said)
	}
	s.noTerraform()
	s.apply()
	s.destroy()
	s.sameCensus(before)
}

// Half of a stack is destroyed without a trace.
func TestHalfAStackIsDestroyed(t *testing.T) {
	t.Parallel()
	s := newStack(t, "staging")
	before := s.census()
	s.interruptedApply(syscall.SIGTERM, s.groupIsThere)
	s.noTerraform()
	s.destroy()
	s.sameCensus(before)
}

// Killed before the group, Terraform forgets no more than what it was making at that moment: the key, which has no name
// that could be taken. It makes another, here as on AWS. The lock went with the process, so nothing has to be forced.
func TestAnApplyKilledBeforeTheGroupIsTakenUp(t *testing.T) {
	t.Parallel()
	s := newStack(t, "development")
	before := s.census()
	s.interruptedApply(syscall.SIGKILL, func(said string) bool {
		return strings.Contains(said, "module.kms.aws_kms_key.this: Still creating...") &&
			len(createdLogGroups.FindAllString(said, -1)) == 2
	})
	s.noTerraform()
	if after := s.census(); len(after["log group"]) != len(before["log group"])+2 ||
		len(after["replication group"]) != 0 {
		t.Errorf("the apply was not killed between log groups and replication group: %v", after)
	}
	s.apply()
	s.destroy()
	s.sameCensus(before)
}

// Killed while the group is creating, Terraform does not know of the group, whose name is taken. On AWS it cannot go on
// either: the user has to import the group.
func TestAnApplyKilledWithTheGroupNeedsAnImport(t *testing.T) {
	t.Parallel()
	s := newStack(t, "development")
	before := s.census()
	s.interruptedApply(syscall.SIGKILL, s.groupIsThere)
	s.noTerraform()
	out, err := s.try("terraform", "apply", "-auto-approve", "-no-color", "-input=false")
	if err == nil || !strings.Contains(string(out), "ReplicationGroupAlreadyExists") {
		t.Errorf("the second apply says (%v), want ReplicationGroupAlreadyExists\n%s", err, out)
	}
	created := s.created()
	s.run("terraform", "import", "-no-color", "-input=false", group, s.id)
	if out := s.apply(); strings.Contains(out, replaced) || s.created() != created {
		t.Errorf("the imported group was replaced:\n%s", out)
	}
	s.destroy()
	s.sameCensus(before)
}

// groupIsThere tells whether the group is being made, and the provider knows. It waits half a minute before it looks at
// what it has asked for, so it has had its answer when Terraform says for the first time, after ten seconds, that it is
// waiting. Interrupted before the answer it remembers nothing, and the group has to be imported.
func (s *stack) groupIsThere(said string) bool {
	if !strings.Contains(said, group+": Still creating...") {
		return false
	}
	_, err := s.cloud.group()
	return err == nil
}

// noTerraform checks that neither Terraform nor a provider is left.
func (s *stack) noTerraform() {
	s.t.Helper()
	err := eventually(func() error { return noneIn(s.dir) })
	if err != nil {
		s.t.Error(err)
	}
}
