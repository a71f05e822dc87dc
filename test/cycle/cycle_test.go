// Package cycle takes the examples through Terraform's whole life with the real Terraform, the real AWS provider and a
// real engine: apply, an empty second plan, changes without replacement, an empty plan again, destroy.
package cycle

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"larder/internal/testkit"
)

var program string // path of the larder under test

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel",
		"8"); err != nil { // the stacks mostly wait for the provider, whatever the number of cores
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(testkit.Main(m, &program))
}

func TestExamples(t *testing.T) {
	t.Parallel()
	later := laterServer(t)
	for example, rounds := range matrix {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			var path []string
			if example == "production" { // elsewhere the machine's own server runs a later version too
				path = []string{later}
			}
			s := newStack(t, example, path...)
			before := s.census()
			s.apply()
			created := s.created()
			write := startLoad(t, s.cloud)
			for i, r := range rounds {
				s.round(t, fmt.Sprintf("round %d", i+1), r)
			}
			if got := s.created(); got != created {
				t.Errorf("the group was created at %s, and is another one of %s now", created, got)
			}
			write.check(t)
			s.destroy()
			s.sameCensus(before)
			if err := s.cloud.finalSnapshot(example != "development"); err != nil { // which has no backups
				t.Error(err)
			}
		})
	}
}

// round applies changes together and looks whether each took effect.
func (s *stack) round(t *testing.T, name string, r round) {
	t.Run(name, func(t *testing.T) {
		s := s.in(t)
		for _, c := range r {
			s.change(c.old, c.new)
		}
		if out := s.apply(); strings.Contains(out, replaced) {
			t.Errorf("the group was replaced:\n%s", out)
		}
		for _, c := range r {
			c.made(t, s)
		}
	})
}

// replaced is what Terraform says of a group that it cannot change in place.
const replaced = "module.redis.aws_elasticache_replication_group.this must be replaced"
