package redisnode

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pieces is a reader that returns its content in pieces of any size.
type pieces struct {
	*rapid.T
	left []byte
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := rapid.IntRange(1, min(len(b), len(p.left))).Draw(p.T, "piece")
	copy(b, p.left[:n])
	p.left = p.left[n:]
	return n, nil
}

func TestTheMarkEndsADumpHoweverItArrives(t *testing.T) {
	mark := []byte("0123456789abcdef0123456789abcdef01234567")
	rapid.Check(t, func(t *rapid.T) {
		// The data contain prefixes of the mark, over which a search could stumble.
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "0123", string(mark[:39]),
			strings.Repeat("data", 20_000)}), 0, 6).Draw(t, "data")
		data := []byte(strings.Join(parts, "|") + "|")
		stream := append(bytes.Clone(data), mark...)
		cut := rapid.Bool().Draw(t, "cut off")
		if cut {
			stream = stream[:len(stream)-rapid.IntRange(1, len(stream)).Draw(t, "by")]
		}
		var got bytes.Buffer
		n, err := copyUntil(&got, &pieces{t, stream}, mark)
		switch {
		case cut && err == nil:
			t.Fatal("what was cut off is taken for whole")
		case !cut && (err != nil || n != int64(len(data)) || !bytes.Equal(got.Bytes(), data)):
			t.Fatalf("%d of %d bytes, %v", n, len(data), err)
		}
	})
}

func TestReadCommand(t *testing.T) {
	args := []string{"AUTH", "", "a b\r\n"}
	got, err := readCommand(bufio.NewReader(bytes.NewReader(appendCommand(nil, args))))
	if err != nil || strings.Join(got, "|") != strings.Join(args, "|") {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "PING\r\n", "*0\r\n", "*-1\r\n", "*17\r\n", "*1\r\n+x\r\n", "*1\r\n$99999\r\n",
		"*1\r\n$4\r\nPI", strings.Repeat("*", 9000)} {
		if got, err := readCommand(bufio.NewReader(strings.NewReader(bad))); err == nil {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}
