package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"larder/internal/testkit"
)

const (
	upRounds   = 5 // of `larder up`, beside one apply, which takes most of a minute
	planRounds = 3
	// silence is how long Terraform and its provider log nothing when they only wait. Their work shows every few
	// milliseconds.
	silence = 400 * time.Millisecond
)

// terraform compares `larder up` with `terraform apply` of the same call.
func (b *bench) terraform(ctx context.Context) (_ []section, err error) {
	s, err := b.newSite(ctx)
	if errors.Is(err, testkit.ErrNoTerraform) {
		b.say("leaving `terraform apply` out: %v", err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var up, again, plan sample
	for round := range upRounds {
		b.say("up against apply: larder, round %d of %d", round+1, upRounds)
		if err := b.upAndAgain(ctx, round, &up, &again); err != nil {
			return nil, err
		}
	}
	b.say("up against apply: terraform")
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	begin := time.Now()
	if err := s.serve(ctx); err != nil {
		return nil, err
	}
	started := time.Since(begin)
	applied, waited, err := s.apply(ctx)
	if err != nil {
		return nil, err
	}
	for range planRounds {
		took, err := s.plan(ctx)
		if err != nil {
			return nil, err
		}
		plan = append(plan, took.Seconds())
	}
	return []section{applySection(up, again, plan, (started + applied).Seconds(), waited.Seconds())}, nil
}

// applySection takes the seconds of one apply, and how many of them were slept.
func applySection(up, again, plan sample, apply, waited float64) section {
	seconds := decimals(2)
	s := section{
		title: "`larder up` against `terraform apply`",
		how: fmt.Sprintf("The production example from no engine and no state, to the moment at which the command ends. "+
			"With Terraform that is starting the engine and `terraform apply` with hashicorp/aws,\n"+
			"without `terraform init`, and once only: the others are medians of %d and %d. The provider sleeps before it "+
			"first looks at what it has made, whatever the engine does: the third row leaves out the times in which neither "+
			"Terraform nor the\n"+
			"provider logged a line (TF_LOG=DEBUG) for more than %d ms. A second run changes nothing: `terraform plan "+
			"-detailed-exitcode` says so with 0.", upRounds, planRounds, silence.Milliseconds()),
		table: table{{"", "seconds", "÷ larder"}},
	}
	s.table.add("`larder up`", up.show(seconds), "1")
	s.table.add("`terraform apply`", seconds(apply), whole(apply/up.median()))
	s.table.add("`terraform apply`, the provider's waits left out", seconds(apply-waited),
		whole((apply-waited)/up.median()))
	s.table.add("`larder up`, second run", again.show(seconds), "1")
	s.table.add("`terraform plan`, second run", plan.show(seconds), whole(ratio(plan, again)))
	return s
}

// upAndAgain brings production up from nothing, and once more with nothing to change.
func (b *bench) upAndAgain(ctx context.Context, round int, up, again *sample) (err error) {
	d := b.newHarness(fmt.Sprintf("against-apply-%d", round), anywhere)
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	for _, s := range []*sample{up, again} {
		_, took, err := d.up(ctx, b.production)
		if err != nil {
			return err
		}
		*s = append(*s, took.Seconds())
	}
	return nil
}

// site is a copy of the examples, with an engine, in which Terraform runs.
type site struct {
	harness *harness
	engine  *exec.Cmd
	dir     string // of production
	log     string
	env     []string
}

// newSite copies the example and what it stands on, the modules beside the examples, and has Terraform ready.
func (b *bench) newSite(ctx context.Context) (*site, error) {
	root := filepath.Join(b.dir, "terraform")
	repository := filepath.Dir(filepath.Dir(filepath.Clean(b.production)))
	for _, part := range []string{"modules", "examples"} {
		if err := os.CopyFS(filepath.Join(root, part), os.DirFS(filepath.Join(repository, part))); err != nil {
			return nil, fmt.Errorf("cannot copy what Terraform applies: %w", err)
		}
	}
	s := &site{harness: b.newHarness("terraform-engine", anywhere),
		dir: filepath.Join(root, "examples", filepath.Base(b.production)), log: filepath.Join(root, "log")}
	environment, err := testkit.TerraformEnvironment(root)
	if err != nil {
		return nil, err
	}
	s.env = append(append(s.env, s.harness.env...), environment...)
	_, err = s.terraform(ctx, "init", "-input=false")
	return s, err
}

// close ends the engine and its nodes.
func (s *site) close(ctx context.Context) error {
	err := s.harness.close(ctx)
	if s.engine != nil {
		err = errors.Join(err, s.engine.Wait())
	}
	return err
}

// serve starts the engine, and takes over what points AWS clients at it.
func (s *site) serve(ctx context.Context) error {
	engine := exec.Command(s.harness.program, "serve")
	engine.Env = s.harness.env
	if err := engine.Start(); err != nil {
		return err
	}
	s.engine = engine
	for {
		out, err := s.harness.larder(ctx, "env", "--json")
		if err == nil {
			variables := map[string]string{}
			if err := json.Unmarshal(out, &variables); err != nil {
				return err
			}
			for name, value := range variables {
				s.env = append(s.env, name+"="+value)
			}
			return nil
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

func (s *site) terraform(ctx context.Context, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, "terraform", append(args, "-no-color")...)
	cmd.Dir, cmd.Env = s.dir, s.env
	begin := time.Now()
	_, err := output(cmd)
	return time.Since(begin), err
}

// apply returns how long an apply took, and how much of that Terraform and the provider slept.
func (s *site) apply(ctx context.Context) (took, waited time.Duration, err error) {
	logged := *s
	logged.env = append(append([]string{}, s.env...), "TF_LOG=DEBUG", "TF_LOG_PATH="+s.log)
	if took, err = logged.terraform(ctx, "apply", "-auto-approve", "-input=false"); err != nil {
		return took, 0, err
	}
	log, err := os.ReadFile(s.log)
	return took, waits(log), err
}

// plan has to find nothing to do.
func (s *site) plan(ctx context.Context) (time.Duration, error) {
	return s.terraform(ctx, "plan", "-detailed-exitcode", "-input=false")
}

// waits sums the times between two lines of a log that are longer than silence. Every entry begins with its time.
func waits(log []byte) (total time.Duration) {
	var last time.Time
	lines := bufio.NewScanner(bytes.NewReader(log))
	lines.Buffer(nil, len(log)+1)
	for lines.Scan() {
		stamp, _, _ := strings.Cut(lines.Text(), " ")
		now, err := time.Parse("2006-01-02T15:04:05.000Z0700", stamp)
		if err != nil { // a further line of an entry
			continue
		}
		if gap := now.Sub(last); !last.IsZero() && gap > silence {
			total += gap
		}
		last = now
	}
	return total
}
