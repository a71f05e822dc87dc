package cloudwatch

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// position is the end of a page of points: the number of the result, and the time of its last point on the page, in
// seconds since 1970. A count of points would not do, because points come and expire between two pages.
type position struct {
	result int
	at     int64
}

// beginning is the position before all results.
var beginning = position{result: -1}

func (p position) token() *string {
	return new(base64.RawURLEncoding.EncodeToString(fmt.Append(nil, p.result, ":", p.at)))
}

// parsePosition reads a token that position.token made. Without a token it returns the beginning.
func parsePosition(token *string) (p position, err error) {
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

// pageOfPoints cuts the results down to the size points that follow from. It returns the end of that page, and whether
// points follow it.
func pageOfPoints(
	results []types.MetricDataResult, order types.ScanBy, from position, size int,
) (end position, more bool) {
	for i := range results {
		r := &results[i]
		low, n := from.passed(i, r.Timestamps, order), len(r.Values)
		high := min(low+size, n)
		if size -= high - low; high > low {
			end = position{i, r.Timestamps[high-1].Unix()}
		}
		if high < n {
			r.StatusCode, more = types.StatusCodePartialData, true
		}
		r.Values, r.Timestamps = r.Values[low:high], r.Timestamps[low:high]
	}
	return end, more
}

// passed is how many points of a result are on the pages up to a position.
func (p position) passed(result int, times []time.Time, order types.ScanBy) int {
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
