package engine

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"larder/internal/cache"
	"larder/internal/endpoint"
)

// issued is when an engine issued a group's nodes their certificates. What an earlier engine issued is not known.
type issued struct {
	mu sync.Mutex
	at map[string]time.Time // by the node's id
}

// to is when a node was issued its certificate; zero where that is not known.
func (i *issued) to(id string) time.Time {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.at[id]
}

func (i *issued) note(id string, at time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.at == nil {
		i.at = map[string]time.Time{}
	}
	i.at[id] = at
}

// certificateFiles is how many files in memory a node has for its certificate; they are empty where it has none.
const certificateFiles = 3

// issue makes a node's TLS files: certificate, key and the local CA.
func (r *shardRunner) issue(shard *cache.Shard, m cache.Member) ([][]byte, error) {
	now := r.e.Now()
	names := endpoint.CertifiedNames(shard.Group, m.ID)
	addrs := []netip.Addr{m.Address, shard.PrimaryAddress, shard.ReaderAddress}
	certificate, key, err := r.e.Authority.Issue(now, m.ID, names, addrs)
	r.issued.note(m.ID, now)
	return [][]byte{certificate, key, r.e.Authority.CertificatePEM()}, err
}

// certify gives a running node another certificate. Until the node has read it, it is not known which one it has.
func (r *shardRunner) certify(ctx context.Context, shard *cache.Shard, id string) error {
	lock := &r.nodes[id].certifying // a step that has the node use TLS for the first time may do this too
	lock.Lock()
	defer lock.Unlock()
	files, err := r.issue(shard, *shard.Member(id))
	if err == nil {
		err = r.nodes[id].process.Rewrite(files)
	}
	if err == nil {
		err = r.nodes[id].redis.ReloadCertificate(ctx)
	}
	if err != nil {
		r.issued.note(id, time.Time{})
	}
	return err
}

// secure gives a node that was started without TLS the certificate that it needs for it, where the group has TLS now.
func (r *shardRunner) secure(ctx context.Context, shard *cache.Shard, id string) error {
	if !shard.Group.TransitEncryption {
		return nil
	}
	s, err := r.nodes[id].redis.State(ctx)
	if err != nil || s.Certified {
		return err
	}
	return r.certify(ctx, shard, id)
}
