package sigv4

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signature is what a request says about its own signature.
type signature struct {
	accessKeyID           string
	date, region, service string // the credential scope
	signedAt              time.Time
	signedHeaders         []string
	signature             string
	presigned             bool
	expires               time.Duration // presigned only
	query                 url.Values
}

// maxExpires is the longest that a presigned request may live: a week.
const maxExpires = 7 * 24 * 60 * 60 * time.Second

// parse reads either form of signature.
func parse(r *http.Request) (*signature, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, incomplete("The query string cannot be parsed: %v", err)
	}
	sig := &signature{query: query}
	header := r.Header.Get("Authorization")
	switch presigned := query.Has("X-Amz-Signature"); {
	case header != "" && presigned:
		return nil, incomplete("Only one signature is allowed: the request has an Authorization header and an " +
			"X-Amz-Signature parameter.")
	case presigned:
		err = sig.parseQuery()
	case strings.HasPrefix(header, "AWS4-"):
		err = sig.parseHeader(r, header)
	default:
		return nil, errMissing
	}
	if err != nil {
		return nil, err
	}
	return sig, nil
}

func (s *signature) parseHeader(r *http.Request, header string) error {
	name, rest, _ := strings.Cut(header, " ")
	if name != algorithm {
		return incomplete("Unsupported AWS 'algorithm': '%s'. The supported one is '%s'.", clip(name), algorithm)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return incomplete("'%s' not a valid key=value pair (missing equal-sign) in Authorization header.",
				clip(part))
		}
		if _, twice := parts[key]; twice {
			return incomplete("Authorization header contains '%s' more than once.", clip(key))
		}
		parts[key] = value
	}
	var missing []string
	for _, key := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[key] == "" {
			missing = append(missing, "Authorization header requires '"+key+"' parameter.")
		}
	}
	if r.Header.Get("X-Amz-Date") == "" {
		missing = append(missing, "Authorization header requires existence of a 'X-Amz-Date' header.")
	}
	if len(missing) > 0 {
		return incomplete("%s", strings.Join(missing, " "))
	}
	return s.set(parts["Credential"], r.Header.Get("X-Amz-Date"), parts["SignedHeaders"], parts["Signature"])
}

func (s *signature) parseQuery() error {
	s.presigned = true
	for _, key := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders",
		"X-Amz-Signature"} {
		if values := s.query[key]; len(values) != 1 || values[0] == "" {
			return incomplete("AWS query-string parameters must include '%s', once.", key)
		}
	}
	if got := s.query.Get("X-Amz-Algorithm"); got != algorithm {
		return incomplete("Unsupported AWS 'algorithm': '%s'. The supported one is '%s'.", clip(got), algorithm)
	}
	s.expires = maxSkew
	if s.query.Has("X-Amz-Expires") {
		seconds, err := strconv.ParseUint(s.query.Get("X-Amz-Expires"), 10, 32)
		s.expires = time.Duration(seconds) * time.Second
		if err != nil || s.expires > maxExpires {
			return incomplete("X-Amz-Expires must be a number of seconds, at most %d.", int(maxExpires.Seconds()))
		}
	}
	return s.set(s.query.Get("X-Amz-Credential"), s.query.Get("X-Amz-Date"),
		s.query.Get("X-Amz-SignedHeaders"), s.query.Get("X-Amz-Signature"))
}

func (s *signature) set(credential, date, signedHeaders, hexSignature string) error {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, "+
			"got '%s'", clip(credential))
	}
	s.accessKeyID, s.date, s.region, s.service = scope[0], scope[1], scope[2], scope[3]
	if scope[4] != terminator {
		return mismatch("Credential should be scoped with a valid terminator: '%s', not '%s'.", terminator,
			clip(scope[4]))
	}
	var err error
	if s.signedAt, err = time.Parse(timeFormat, date); err != nil {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601",
			clip(date))
	}
	if want := s.signedAt.Format(dateFormat); s.date != want {
		return mismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' "+
			"!= '%s', from '%s'.",
			clip(s.date), want, date)
	}
	if raw, err := hex.DecodeString(hexSignature); err != nil || len(raw) != 32 {
		return errMismatch
	}
	s.signature = hexSignature
	s.signedHeaders = strings.Split(signedHeaders, ";")
	return s.checkNames()
}

// checkNames refuses names that could not stand where they do in a header: a
// line break in one would let two different requests have the same canonical form.
func (s *signature) checkNames() error {
	for _, name := range append([]string{s.accessKeyID, s.region, s.service}, s.signedHeaders...) {
		if !plain(name) {
			return incomplete("'%s' is not a valid name in a Credential or in SignedHeaders.", clip(name))
		}
	}
	return nil
}

// plain reports whether s is made of what access keys, regions, services and
// the names of headers are made of.
func plain(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return s != ""
}

// checkTime refuses what was signed too long ago, or in the future.
func (s *signature) checkTime(now time.Time) error {
	at, ours := s.signedAt.Format(timeFormat), now.Format(timeFormat)
	if latest := now.Add(maxSkew); s.signedAt.After(latest) {
		return mismatch("Signature not yet current: %s is still later than %s (%s + 5 min.)", at,
			latest.Format(timeFormat), ours)
	}
	if s.presigned {
		if now.After(s.signedAt.Add(s.expires)) {
			return &Error{Code: "RequestExpired", Message: "Request has expired.", Status: http.StatusBadRequest}
		}
		return nil
	}
	if earliest := now.Add(-maxSkew); s.signedAt.Before(earliest) {
		return mismatch("Signature expired: %s is now earlier than %s (%s - 5 min.)", at, earliest.Format(timeFormat),
			ours)
	}
	return nil
}

// checkSignedHeaders wants everything signed that changes what is asked for:
// the host, and all of AWS's own headers.
func (s *signature) checkSignedHeaders(r *http.Request) error {
	if !slices.IsSorted(s.signedHeaders) {
		return incomplete("SignedHeaders must be sorted: '%s'.", clip(strings.Join(s.signedHeaders, ";")))
	}
	if !s.signs("host") {
		return mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") && !s.signs(lower) {
			return mismatch("'%s' must be a 'SignedHeader' in the AWS Authorization.", clip(name))
		}
	}
	return nil
}

func (s *signature) signs(header string) bool {
	_, ok := slices.BinarySearch(s.signedHeaders, header)
	return ok
}

func (s *signature) stringToSign(canonicalHash []byte) string {
	scope := s.date + "/" + s.region + "/" + s.service + "/" + terminator
	return algorithm + "\n" + s.signedAt.Format(timeFormat) + "\n" + scope + "\n" + hex.EncodeToString(canonicalHash)
}

func (s *signature) identity() Identity {
	return Identity{
		AccessKeyID: s.accessKeyID,
		Region:      s.region,
		Service:     s.service,
		SignedAt:    s.signedAt,
		Presigned:   s.presigned,
	}
}

// clip bounds how much of a client's text an error repeats, in bytes.
func clip(s string) string {
	if len(s) > 128 {
		return s[:128] + "…"
	}
	return s
}
