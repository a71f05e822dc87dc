package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/redisnode"
)

const (
	emptyRounds = 20
	bigRounds   = 5
	emptyWanted = 1.0 // seconds
	bigWanted   = 1.2 // of a bare full sync
	valueSize   = 100 << 10
	syncPoll    = time.Millisecond
)

// resync compares a replacement replica with a bare one.
func (b *bench) resync(ctx context.Context, c *contender) (_ section, err error) {
	bare, err := b.newBareServers("resync", anywhere)
	if err != nil {
		return section{}, err
	}
	defer func() { err = errors.Join(err, bare.close(ctx)) }()
	servers, err := bare.start(ctx, c.group.settings, "resync-1", "resync-2")
	if err != nil {
		return section{}, err
	}
	if err := bare.replicate(ctx, servers); err != nil {
		return section{}, err
	}
	empty := sizes{"an empty set", emptyRounds, nil, nil}
	if err := b.measure(ctx, &empty, c, bare, servers); err != nil {
		return section{}, err
	}
	b.say("filling with %d MiB", b.big)
	values := b.big << 20 / valueSize
	if err := c.probe.fill(ctx, c.group.primary, values); err != nil {
		return section{}, err
	}
	if err := bare.client(c.group.settings).fill(ctx, servers[0].address, values); err != nil {
		return section{}, err
	}
	if err := c.whole("")(ctx); err != nil {
		return section{}, err
	}
	big := sizes{fmt.Sprintf("%s MiB", whole(float64(b.big))), min(bigRounds, b.rounds), nil, nil}
	if err := b.measure(ctx, &big, c, bare, servers); err != nil {
		return section{}, err
	}
	return resyncSection(empty, big), nil
}

// sizes holds the seconds of both for a data set.
type sizes struct {
	what         string
	rounds       int
	larder, bare sample
}

func (b *bench) measure(ctx context.Context, s *sizes, c *contender, bare *bareServers, servers []*bareServer) error {
	for round := range s.rounds {
		b.say("replica of %s: round %d of %d", s.what, round+1, s.rounds)
		took, err := c.replaced(ctx)
		if err != nil {
			return err
		}
		s.larder = append(s.larder, took.Seconds())
		if took, err = bare.replaced(ctx, c.group.settings, servers); err != nil {
			return err
		}
		s.bare = append(s.bare, took.Seconds())
	}
	return nil
}

// replaced kills the second of the servers and starts it again, as a replica of the first, as fast as that goes.
func (s *bareServers) replaced(ctx context.Context, set settings, servers []*bareServer) (time.Duration, error) {
	old := servers[1]
	c, err := s.client(set).connect(ctx, servers[0].address, trialLimit)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	begin := time.Now()
	if err := unix.Kill(old.process.PID(), unix.SIGKILL); err != nil {
		return 0, err
	}
	<-old.process.Exited()
	again, err := s.startOne(ctx, set, old.process.ID(), old.address)
	if err != nil {
		return 0, err
	}
	for i, r := range s.running {
		if r == old {
			s.running[i] = again
		}
	}
	servers[1] = again
	if err := errors.Join(old.admin.Close(), again.follow(ctx, servers[0].address)); err != nil {
		return 0, err
	}
	return awaitReplica(ctx, c, begin, old.address.Addr())
}

// client is how clients of the servers are let in.
func (s *bareServers) client(set settings) access {
	return access{&tls.Config{RootCAs: s.authority.Pool(), MinVersion: tls.VersionTLS12}, "default", set.token}
}

// awaitReplica asks a primary until its replica at that address, which was there, has gone and is back in sync.
func awaitReplica(ctx context.Context, primary *redisConn, begin time.Time, address netip.Addr) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, trialLimit)
	defer cancel()
	gone := false
	err := until(ctx, "the replacement is in sync", syncPoll, func() (bool, error) {
		answer, err := primary.do(trialLimit, "INFO", "replication")
		if err != nil {
			return false, err
		}
		text, _ := answer.(string)
		there := online(text, address)
		gone = gone || !there
		return gone && there, nil
	})
	return time.Since(begin), err
}

// online tells whether a primary's INFO has a replica at that address that acknowledged its data set.
func online(info string, address netip.Addr) bool {
	for name, value := range redisnode.Fields(info) {
		if strings.HasPrefix(name, "slave") && strings.HasPrefix(value, "ip="+address.String()+",") {
			return strings.Contains(value, ",state=online,")
		}
	}
	return false
}

// fill writes that many values, which redis-server cannot compress: what is copied is as much as what is kept.
func (a access) fill(ctx context.Context, address netip.AddrPort, values int) error {
	c, err := a.connect(ctx, address, trialLimit)
	if err != nil {
		return err
	}
	defer c.Close()
	random := make([]byte, valueSize)
	rand.Read(random)
	value := string(random)
	for i := range values {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, err := c.do(trialLimit, "SET", fmt.Sprintf("bench:fill:%d", i), value); err != nil {
			return fmt.Errorf("cannot fill %s: %w", address, err)
		}
	}
	return nil
}

func resyncSection(empty, big sizes) section {
	s := section{
		title: "A replica is replaced",
		how: "From `kill -9` of a replica until the primary lists the one in its place as in sync: its process started, " +
			"its data set copied. Beside it a bare replica with the same configuration, killed and\n" +
			"started again at once, and told to follow a bare primary. Both copy over TLS, without a file on either side. " +
			"larder waits for nothing; it looks at the copy and lets the node serve afterwards.",
		goals: []string{
			goal(empty.larder.median() < emptyWanted, "less than %.0f s for an empty set", emptyWanted),
			goal(ratio(big.larder, big.bare) <= bigWanted, "within %.1f of a bare full sync for %s", bigWanted,
				big.what),
		},
		table: table{{"", "rounds", "larder, seconds", "bare, seconds", "larder ÷ bare"}},
	}
	for _, z := range []sizes{empty, big} {
		s.table.add(z.what, fmt.Sprint(z.rounds), z.larder.show(decimals(3)), z.bare.show(decimals(3)),
			showRatio(z.larder, z.bare))
	}
	return s
}
