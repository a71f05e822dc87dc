package series

import "math/bits"

// bitWriter appends bits, the highest bit of a number first.
type bitWriter struct {
	b    []byte
	free int // unused bits of the last byte
}

func (w *bitWriter) write(v uint64, n int) {
	for n > 0 {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		take := min(n, w.free)
		part := byte(v >> (n - take) & (1<<take - 1))
		w.b[len(w.b)-1] |= part << (w.free - take)
		n, w.free = n-take, w.free-take
	}
}

// bitReader reads what a bitWriter wrote. Past the end it reads ones, which end every code.
type bitReader struct {
	b      []byte
	window uint64 // the next bits, from the highest down
	held   int    // the number of bits in window
}

func (r *bitReader) fill() {
	for r.held <= 56 {
		next := byte(0xff)
		if len(r.b) > 0 {
			next, r.b = r.b[0], r.b[1:]
		}
		r.window |= uint64(next) << (56 - r.held)
		r.held += 8
	}
}

func (r *bitReader) read(n int) uint64 {
	if n > 32 {
		high := r.read(n - 32)
		return high<<32 | r.read(32)
	}
	if n == 0 {
		return 0
	}
	r.fill()
	v := r.window >> (64 - n)
	r.window, r.held = r.window<<n, r.held-n
	return v
}

// ones counts ones up to limit, and consumes the zero after them.
func (r *bitReader) ones(limit int) int {
	r.fill()
	n := min(bits.LeadingZeros64(^r.window), limit)
	taken := n
	if n < limit {
		taken++
	}
	r.window, r.held = r.window<<taken, r.held-taken
	return n
}

// A residual is written in a Rice code: its upper part in unary, its lower k bits unchanged. Writer and reader derive k
// from the mean of the residuals so far. For a residual far from the mean, escape ones come first, then its length,
// then the residual itself.
const escape = 20

// rice is the running mean from which k is derived, in sixteenths.
type rice struct{ mean uint64 }

// k returns the number of bits of 0.69 times the mean, which is the cheapest choice for geometrically distributed
// residuals.
func (r *rice) k() int { return bits.Len64(r.mean * 11 >> 8) }

func (r *rice) next(v uint64) {
	const most = 1 << 55 // the product in k stays below 2^64
	r.mean += min(v, most) - r.mean/16
}

func (r *rice) write(w *bitWriter, v uint64) {
	k := r.k()
	if high := v >> k; high < escape {
		w.write(1<<(high+1)-2, int(high)+1)
		w.write(v, k)
	} else {
		w.write(1<<escape-1, escape)
		n := bits.Len64(v)
		w.write(uint64(n-1), 6)
		w.write(v, n)
	}
	r.next(v)
}

func (r *rice) read(b *bitReader) uint64 {
	k := r.k()
	high := b.ones(escape)
	var v uint64
	if high < escape {
		v = uint64(high)<<k | b.read(k)
	} else {
		v = b.read(int(b.read(6)) + 1)
	}
	r.next(v)
	return v
}
