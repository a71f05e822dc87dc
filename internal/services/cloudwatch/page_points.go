package cloudwatch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// place is where a page of points ends: behind the point of a time, in seconds since 1970, of the result of a number.
// It is no count of points: between two pages some come, and some pass their retention.
type place struct {
	result int
	at     int64
}

// beginning is before all results.
var beginning = place{result: -1}

func (p place) token() *string {
	return new(base64.RawURLEncoding.EncodeToString(fmt.Append(nil, p.result, ":", p.at)))
}

// placeOf reads a token that place.token made; without one it is the beginning.
func placeOf(token *string) (p place, err error) {
	if token == nil {
		return beginning, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil {
		return p, err
	}
	if _, err := fmt.Sscanf(string(text), "%d:%d", &p.result, &p.at); err != nil {
		return p, err
	}
	if p.result < 0 || *p.token() != *token {
		return p, errors.New("it is spelled otherwise")
	}
	return p, nil
}

// pageOfPoints leaves, of all results' points, size from a place on, and says where the page ends, and whether there
// are more.
func pageOfPoints(results []types.MetricDataResult, order types.ScanBy, from place, size int) (end place, more bool) {
	for i := range results {
		r := &results[i]
		low, n := from.passed(i, r.Timestamps, order), len(r.Values)
		high := min(low+size, n)
		if size -= high - low; high > low {
			end = place{i, r.Timestamps[high-1].Unix()}
		}
		if high < n {
			r.StatusCode, more = types.StatusCodePartialData, true
		}
		r.Values, r.Timestamps = r.Values[low:high], r.Timestamps[low:high]
	}
	return end, more
}

// passed is how many points of a result are on the pages up to a place.
func (p place) passed(result int, times []time.Time, order types.ScanBy) int {
	switch {
	case result > p.result:
		return 0
	case result < p.result:
		return len(times)
	}
	n, found := slices.BinarySearchFunc(times, time.Unix(p.at, 0), func(a, b time.Time) int {
		if order == types.ScanByTimestampAscending {
			return a.Compare(b)
		}
		return b.Compare(a)
	})
	if found {
		n++
	}
	return n
}
