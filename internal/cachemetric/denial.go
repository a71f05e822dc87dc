package cachemetric

import "strconv"

// Denial is an entry of ACL LOG: access was denied so often for that reason.
type Denial struct {
	Reason, Context, Object, User string
	Count                         float64
}

// Denials counts denied access of a redis-server that tells only how many errors it answered and what was denied of
// late, as those before 7.2 do. The zero value is ready for use.
type Denials struct {
	answered float64
	logged   map[Denial]float64 // by entry without its count: how much of it has been counted
	reasons  map[string]float64
}

// The errors that denied access is answered with.
const (
	wrongPassword = "errorstat_WRONGPASS"
	noPermission  = "errorstat_NOPERM"
)

// deniedField is a field that later versions of INFO have, by the reason of ACL LOG.
var deniedField = map[string]string{
	"command": "acl_access_denied_cmd", "key": "acl_access_denied_key", "channel": "acl_access_denied_channel",
}

// Stale tells whether the log may hold what has not been counted: more permissions were denied than before, or the
// server counts anew.
func (d *Denials) Stale(info map[string]string) bool {
	return answers(info, noPermission) != d.answered
}

// Note counts what the log has more than it had. The server keeps 128 entries, and one for all that was alike within a
// minute.
func (d *Denials) Note(info map[string]string, log []Denial) {
	d.answered = answers(info, noPermission)
	now := map[Denial]float64{}
	for _, entry := range log {
		count := entry.Count
		entry.Count = 0
		now[entry] += count
	}
	if d.reasons == nil {
		d.reasons = map[string]float64{}
	}
	for entry, count := range now {
		d.reasons[entry.Reason] += max(0,
			count-d.logged[entry]) // less when older entries of its kind have left the log
	}
	d.logged = now
}

// Fill adds the fields that later versions have to an answer of INFO that lacks them.
func (d *Denials) Fill(info map[string]string) {
	info[deniedAuth] = number(answers(info, wrongPassword))
	for reason, field := range deniedField {
		info[field] = number(d.reasons[reason])
	}
}

const deniedAuth = "acl_access_denied_auth"

// Lacks tells whether an answer of INFO lacks the counts of denied access.
func Lacks(info map[string]string) bool { return info[deniedAuth] == "" }

func answers(info map[string]string, kind string) float64 { return parts(info[kind])["count"] }

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
