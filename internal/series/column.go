package series

import (
	"encoding/binary"
	"math"
)

// A column is a list of numbers of one chunk, whose length the chunk states:
//
//	byte     how: 0 to 9 decimals, or raw for the bits of the float; constant is added if all numbers are equal
//	varint   the first number
//	uvarint  the step: every difference to the first is a multiple of it      } unless constant
//	byte     the order of the predictor                                       }
//	uvarint  length of the residuals in bytes, and these, in a Rice code      }
//
// Metrics are counts, sizes and rounded ratios. As whole multiples of a common step, only their noise needs to be
// stored.
const (
	decimals = 9
	raw      = decimals + 1
	constant = 0x10
	orders   = 3
)

// appendFloats appends a column of floats.
func appendFloats(b []byte, values []float64) []byte {
	how, whole := scale(values)
	return appendColumn(b, how, whole)
}

// scale finds the fewest decimals with which all values are exact whole numbers. If there is no such number, it returns
// the values' bits.
func scale(values []float64) (how byte, whole []int64) {
	whole = make([]int64, len(values))
	from := 0
	for how := range byte(decimals + 1) {
		for from < len(values) && fits(values[from], how, &whole[from]) {
			from++
		}
		if from == len(values) {
			for i, v := range values {
				fits(v, how, &whole[i])
			}
			return how, whole
		}
		// What fits with fewer decimals fits with more, unless it becomes too large: the loop above checks it again.
		if !allFit(values[:from], how+1) {
			break
		}
	}
	for i, v := range values {
		whole[i] = int64(math.Float64bits(v))
	}
	return raw, whole
}

func allFit(values []float64, how byte) bool {
	var ignored int64
	for _, v := range values {
		if how > decimals || !fits(v, how, &ignored) {
			return false
		}
	}
	return true
}

var powers = [decimals + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// fits reports whether v has at most that many decimals, and stores v without the decimal point.
func fits(v float64, how byte, whole *int64) bool {
	scaled := math.Round(v * powers[how])
	if scaled == 0 && math.Signbit(scaled) || !(math.Abs(scaled) < 1<<53) ||
		math.Float64bits(scaled/powers[how]) != math.Float64bits(v) {
		return false
	}
	*whole = int64(scaled)
	return true
}

func appendColumn(b []byte, how byte, whole []int64) []byte {
	first, step := whole[0], commonStep(whole)
	if step == 0 {
		return binary.AppendVarint(append(b, how|constant), first)
	}
	b = binary.AppendUvarint(binary.AppendVarint(append(b, how), first), step)
	steps := make([]int64, len(whole))
	for i, v := range whole {
		steps[i] = (v - first) / int64(step)
	}
	var best []byte
	order := 0
	for o := range orders {
		if code := residuals(steps, o); best == nil || len(code) < len(best) {
			best, order = code, o
		}
	}
	b = binary.AppendUvarint(append(b, byte(order)), uint64(len(best)))
	return append(b, best...)
}

// commonStep returns the greatest common divisor of all differences to the first number: 0 if all numbers are equal, 1
// if a difference overflows.
func commonStep(whole []int64) uint64 {
	var step uint64
	for _, v := range whole {
		d := v - whole[0]
		if (v > whole[0]) != (d > 0) {
			return 1
		}
		a := uint64(max(d, -d))
		for a != 0 {
			step, a = a, step%a
		}
		if step == 1 {
			return 1
		}
	}
	return step
}

// residuals encodes each number as its difference from a prediction. By order, the prediction is 0, the last number, or
// the line through the last two. The arithmetic wraps, in residuals and wholes alike.
func residuals(steps []int64, order int) []byte {
	w, r := &bitWriter{b: make([]byte, 0, len(steps))}, &rice{}
	var one, two int64
	for _, v := range steps {
		r.write(w, zigzag(v-predict(order, one, two)))
		one, two = v, one
	}
	return w.b
}

func predict(order int, one, two int64) int64 {
	switch order {
	case 1:
		return one
	case 2:
		return 2*one - two
	}
	return 0
}

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// wholes reads a column of n numbers.
func (r *reader) wholes(n int) (how byte, whole []int64) {
	how = r.byte()
	first := r.varint()
	whole = make([]int64, n)
	if how&constant != 0 {
		for i := range whole {
			whole[i] = first
		}
		return how &^ constant, whole
	}
	step, order := int64(r.uvarint()), int(r.byte())
	code := &bitReader{b: r.bytes(int(min(r.uvarint(), uint64(len(r.b)+1))))}
	if r.failed || order >= orders {
		r.fail()
		return 0, whole
	}
	k := &rice{}
	var one, two int64
	for i := range whole {
		v := unzigzag(k.read(code)) + predict(order, one, two)
		one, two = v, one
		whole[i] = first + v*step
	}
	return how, whole
}

// floats reads a column of n floats.
func (r *reader) floats(n int) []float64 {
	how, whole := r.wholes(n)
	values := make([]float64, n)
	if how > raw {
		r.fail()
		return values
	}
	if how == 0 {
		for i, v := range whole {
			values[i] = float64(v)
		}
		return values
	}
	for i, v := range whole {
		if how == raw {
			values[i] = math.Float64frombits(uint64(v))
		} else {
			values[i] = float64(v) / powers[how]
		}
	}
	return values
}
