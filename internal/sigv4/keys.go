package sigv4

import "sync"

// maxKeys bounds the cache: a key lives a day, and one machine's clients have
// few credentials, regions and services.
const maxKeys = 256

// keyScope is all that a signing key is derived from.
type keyScope struct {
	secret, date, region, service string
}

func (s keyScope) derive() []byte {
	key := sign([]byte("AWS4"+s.secret), s.date)
	key = sign(key, s.region)
	key = sign(key, s.service)
	return sign(key, terminator)
}

// keyCache keeps derived signing keys: deriving costs four HMACs.
type keyCache struct {
	mu   sync.RWMutex
	keys map[keyScope][]byte
}

func (c *keyCache) get(s keyScope) ([]byte, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	key, ok := c.keys[s]
	return key, ok
}

func (c *keyCache) put(s keyScope, key []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil || len(c.keys) >= maxKeys {
		c.keys = map[keyScope][]byte{}
	}
	c.keys[s] = key
}
