package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// signalled runs a trial in which the primary's process gets a signal. Its server is then started again as a replica,
// which larder does by itself and here nobody would.
func (w *watchedServers) signalled(ctx context.Context, signal unix.Signal) (outcome, error) {
	victim, err := w.ready(ctx)
	if err != nil {
		return outcome{}, err
	}
	old := w.servers[victim]
	return w.probe.observe(ctx, func(context.Context) error { return unix.Kill(old.process.PID(), signal) },
		func(ctx context.Context) error {
			promoted, err := w.switched(ctx, old)
			if err != nil {
				return err
			}
			if err := errors.Join(old.process.Stop(ctx, 0), old.admin.Close()); err != nil {
				return err
			}
			again, err := w.startOne(ctx, w.set, w.names[victim], old.address)
			if err != nil {
				return err
			}
			for i, s := range w.running {
				if s == old {
					w.running[i] = again
				}
			}
			w.servers[victim] = again
			if err := again.follow(ctx, promoted); err != nil {
				return err
			}
			return w.agreed(ctx)
		})
}

// abandoned is after how long a failover that a sentinel took, and that nothing is seen of, is asked for again: it
// gives some up.
const abandoned = 5 * time.Second

// planned runs a trial in which a sentinel is asked for a failover. The old primary is told to follow the new one as
// soon as the client is there; sentinels would let ten seconds pass.
func (w *watchedServers) planned(ctx context.Context) (outcome, error) {
	victim, err := w.ready(ctx)
	if err != nil {
		return outcome{}, err
	}
	old := w.servers[victim]
	return w.probe.observe(ctx, func(ctx context.Context) error {
		var taken time.Time
		return until(ctx, "sentinel makes a failover", trialPoll, func() (bool, error) {
			if time.Since(taken) < abandoned {
				known, err := w.believed(ctx)
				return err == nil && slices.ContainsFunc(known,
					func(at netip.AddrPort) bool { return at != old.address }), nil
			}
			_, err := w.open().once(ctx, w.sentinels[0].address, "SENTINEL", "FAILOVER", "main")
			if err == nil {
				taken = time.Now()
			} else if strings.Contains(err.Error(), "NOGOODSLAVE") || strings.Contains(err.Error(), "INPROG") {
				err = nil // not yet
			}
			return false, err
		})
	}, func(ctx context.Context) error {
		promoted, err := w.switched(ctx, old)
		if err != nil {
			return err
		}
		if err := old.follow(ctx, promoted); err != nil {
			return err
		}
		return w.agreed(ctx)
	})
}

// ready waits until sentinels would act again after the last failover, and says which of the servers is primary.
func (w *watchedServers) ready(ctx context.Context) (int, error) {
	// A sentinel that voted for another one counts from up to a second later.
	if err := rest(ctx, time.Until(w.last.Add(2*w.patience.timeout+time.Second))); err != nil {
		return 0, err
	}
	w.last = time.Now()
	at, err := w.believed(ctx)
	if err != nil {
		return 0, err
	}
	for i, s := range w.servers {
		if s.address == at[0] {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the sentinels' primary %s is none of theirs", at[0])
}

// believed is the primary as each of the sentinels knows it.
func (w *watchedServers) believed(ctx context.Context) (all []netip.AddrPort, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.sentinels {
		at, err := w.ask(ctx, i)
		if err != nil {
			return nil, err
		}
		all = append(all, at)
	}
	return all, nil
}

// switched waits until every sentinel knows another primary than the old one.
func (w *watchedServers) switched(ctx context.Context, old *bareServer) (promoted netip.AddrPort, err error) {
	err = until(ctx, "all sentinels know of the failover", trialPoll, func() (bool, error) {
		all, err := w.believed(ctx)
		if err != nil {
			return false, nil // it is asked again
		}
		promoted = all[0]
		for _, at := range all {
			if at != promoted || at == old.address {
				return false, nil
			}
		}
		return true, nil
	})
	return promoted, err
}

// agreed waits until every sentinel sees a primary, two replicas and two other sentinels, all well, and the replicas
// are in sync.
func (w *watchedServers) agreed(ctx context.Context) error {
	return until(ctx, "the sentinels agree that all is well", trialPoll, func() (bool, error) {
		for _, s := range w.sentinels {
			if well, err := w.well(ctx, s); err != nil || !well {
				return false, nil // it is asked again
			}
		}
		synced := 0
		for _, s := range w.servers {
			if state, err := s.admin.State(ctx); err == nil && state.LinkUp {
				synced++
			}
		}
		return synced == len(w.servers)-1, nil
	})
}

// well tells whether a sentinel has nothing to complain of.
func (w *watchedServers) well(ctx context.Context, sentinel *bareServer) (bool, error) {
	answer, err := w.open().once(ctx, sentinel.address, "SENTINEL", "MASTER", "main")
	if err != nil {
		return false, err
	}
	primary, err := pairs(answer)
	if err != nil || primary["flags"] != "master" || primary["num-slaves"] != "2" ||
		primary["num-other-sentinels"] != fmt.Sprint(sentinels-1) {
		return false, err
	}
	answer, err = w.open().once(ctx, sentinel.address, "SENTINEL", "REPLICAS", "main")
	if err != nil {
		return false, err
	}
	replicas, ok := answer.([]any)
	if !ok {
		return false, fmt.Errorf("cannot read %v as a list of replicas", answer)
	}
	for _, r := range replicas {
		if fields, err := pairs(r); err != nil || fields["flags"] != "slave" {
			return false, err
		}
	}
	return true, nil
}

// pairs reads an answer that is a list of names, each followed by its value.
func pairs(answer any) (map[string]string, error) {
	list, err := texts(answer)
	if err != nil || len(list)%2 != 0 {
		return nil, errors.Join(fmt.Errorf("cannot read %v as names and values", answer), err)
	}
	all := map[string]string{}
	for i := 0; i < len(list); i += 2 {
		all[list[i]] = list[i+1]
	}
	return all, nil
}
