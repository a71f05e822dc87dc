package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"
)

// group is a group in which everything is as it should be: the first member is the primary.
type group struct {
	status
	terms []Term // of the members, in their order
}

// firstSettle waits until the new group is whole, and remembers where clients reach it.
func (d *harness) firstSettle(ctx context.Context) error {
	if err := d.settle(ctx); err != nil {
		return err
	}
	d.primaryEndpoint, d.readerEndpoint = d.group.Primary, d.group.Reader
	return nil
}

// settle waits until the group is whole, and remembers it.
func (d *harness) settle(ctx context.Context) error {
	return await(ctx, settlePatience, "the group is whole", func(ctx context.Context) error {
		g, err := d.look(ctx)
		if err == nil {
			d.group = g
		}
		return err
	})
}

// look checks the whole group once: what larder says of it, what every node says of itself, and who is behind every
// address.
func (d *harness) look(ctx context.Context) (group, error) {
	s, err := d.status(ctx)
	if err != nil {
		return group{}, err
	}
	if err := s.check(); err != nil {
		return group{}, err
	}
	g := group{status: s, terms: make([]Term, len(s.Nodes))}
	var all errgroup.Group
	for i, m := range s.Nodes {
		all.Go(func() (err error) {
			g.terms[i], err = d.lookAt(ctx, s, m)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return group{}, err
	}
	return g, errors.Join(d.behindPrimary(ctx, g), d.behindReader(ctx, g, false))
}

// check sees that larder calls everything available, and puts the primary first.
func (s *status) check() error {
	if s.Status != "available" {
		return fmt.Errorf("the group is %s: %s", s.Status, s.Reason)
	}
	slices.SortStableFunc(s.Nodes, func(a, b member) int { return rank(a.Role) - rank(b.Role) })
	for i, m := range s.Nodes {
		if m.Status != "available" || m.PID == 0 || (m.Role == "primary") != (i == 0) {
			return fmt.Errorf("%s is %s, a %s with the process id %d", m.ID, m.Status, m.Role, m.PID)
		}
	}
	return nil
}

func rank(role string) int {
	if role == "primary" {
		return 0
	}
	return 1
}

// lookAt asks a node over its admin socket who it is, and sees that the same process is behind its address.
func (d *harness) lookAt(ctx context.Context, s status, m member) (Term, error) {
	c, err := d.node(ctx, m.ID)
	if err != nil {
		return Term{}, fmt.Errorf("%s: %w", m.ID, err)
	}
	defer c.Close()
	info, err := c.info()
	if err != nil {
		return Term{}, fmt.Errorf("%s: %w", m.ID, err)
	}
	if pid := strconv.Itoa(m.PID); info["process_id"] != pid {
		return Term{}, fmt.Errorf("%s is process %s, and larder says %s", m.ID, info["process_id"], pid)
	}
	want := map[string]string{"role": "slave", "master_host": s.Nodes[0].Address, "master_link_status": "up",
		"master_sync_in_progress": "0"}
	if m.Role == "primary" {
		want = map[string]string{"role": "master", "connected_slaves": strconv.Itoa(len(s.Nodes) - 1)}
	}
	for name, value := range want {
		if info[name] != value {
			return Term{}, fmt.Errorf("%s, a %s, says %s:%s, want %s", m.ID, m.Role, name, info[name], value)
		}
	}
	_, port, err := net.SplitHostPort(s.Primary)
	if err != nil {
		return Term{}, err
	}
	return c.term, d.behind(ctx, net.JoinHostPort(m.Address, port), c.term.Run)
}

// behind sees that one of these processes answers at an address.
func (d *harness) behind(ctx context.Context, address string, runs ...string) error {
	c, err := d.client(ctx, address)
	if err != nil {
		return fmt.Errorf("%s: %w", address, err)
	}
	defer c.Close()
	if !slices.Contains(runs, c.term.Run) {
		return fmt.Errorf("behind %s is %s, want one of %v", address, c.term, runs)
	}
	return nil
}

func (d *harness) behindPrimary(ctx context.Context, g group) error {
	return d.behind(ctx, g.Primary, g.terms[0].Run)
}

// behindReader opens as many connections at once as there are replicas. None of them may be to anything but a replica;
// each replica must get one where every is set, as it is when no other client weighs in the choice.
func (d *harness) behindReader(ctx context.Context, g group, every bool) error {
	replicas := g.runs()[1:]
	left := slices.Clone(replicas)
	for range replicas {
		c, err := d.client(ctx, g.Reader)
		if err != nil {
			return fmt.Errorf("the reader endpoint: %w", err)
		}
		defer c.Close()
		if !slices.Contains(replicas, c.term.Run) {
			return fmt.Errorf("behind the reader endpoint is %s, which is no replica", c.term)
		}
		left = slices.DeleteFunc(left, func(run string) bool { return run == c.term.Run })
	}
	if every && len(left) > 0 {
		return fmt.Errorf("the reader endpoint does not give out %v", left)
	}
	return nil
}

func (g group) runs() []string {
	var runs []string
	for _, t := range g.terms {
		runs = append(runs, t.Run)
	}
	return runs
}

// agree waits until every node has the same data and the reader endpoint gives out every replica, while no client is at
// work.
func (d *harness) agree(ctx context.Context) error {
	return await(ctx, settlePatience, "all nodes have the same data", func(ctx context.Context) error {
		if err := d.behindReader(ctx, d.group, true); err != nil {
			return err
		}
		seen := map[string][]string{}
		for _, m := range d.group.Nodes {
			c, err := d.node(ctx, m.ID)
			if err != nil {
				return err
			}
			digest, err := c.text("DEBUG", "DIGEST")
			c.Close()
			if err != nil {
				return err
			}
			seen[digest] = append(seen[digest], m.ID)
		}
		if len(seen) > 1 {
			return fmt.Errorf("the digests differ: %v", seen)
		}
		return nil
	})
}

// lag is how many bytes of the primary's stream the most advanced replica does not have. It is what its death may cost.
func (d *harness) lag(ctx context.Context) (int64, error) {
	offsets := make([]int64, len(d.group.Nodes))
	var all errgroup.Group
	for i, m := range d.group.Nodes {
		all.Go(func() error {
			c, err := d.node(ctx, m.ID)
			if err != nil {
				return err
			}
			defer c.Close()
			info, err := c.info()
			if err != nil {
				return err
			}
			field := "slave_repl_offset"
			if i == 0 {
				field = "master_repl_offset"
			}
			offsets[i], err = strconv.ParseInt(info[field], 10, 64)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return 0, fmt.Errorf("cannot read the lag: %w", err)
	}
	return max(0, offsets[0]-slices.Max(offsets[1:])), nil
}

// lists reads what the primary has of a round's lists.
func (d *harness) lists(ctx context.Context, round int) (map[int][]int, error) {
	c, err := d.node(ctx, d.group.Nodes[0].ID)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	lists := map[int][]int{}
	for w := range writers {
		answer, err := c.do("LRANGE", listKey(round, w), "0", "-1")
		if err != nil {
			return nil, err
		}
		for _, element := range answer.([]any) {
			lists[w] = append(lists[w], int(number(element)))
		}
	}
	return lists, nil
}

// forget deletes a round's keys.
func (d *harness) forget(ctx context.Context, round int) error {
	c, err := d.node(ctx, d.group.Nodes[0].ID)
	if err != nil {
		return err
	}
	defer c.Close()
	keys := []string{"UNLINK"}
	for w := range writers {
		keys = append(keys, listKey(round, w))
	}
	for k := range registerKeys {
		keys = append(keys, registerKey(round, k))
	}
	_, err = c.do(keys...)
	return err
}
