package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Requests that AWS would refuse are refused with its errors, and the server goes on.
func TestRequestsThatNobodyShouldSend(t *testing.T) {
	t.Parallel()
	d := newHarness(t)
	d.must("up", seed+"development.tf")
	endpoint := d.clientEnv()["AWS_ENDPOINT_URL"]
	const form = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		contentType, authorization string
		body                       io.Reader
		status                     int
		code                       string
	}{
		"unsigned": {form, "", strings.NewReader("Action=DescribeReplicationGroups&Version=2015-02-02"), 403,
			"MissingAuthenticationToken"},
		"malformed": {form, "AWS4-HMAC-SHA256 nonsense", strings.NewReader("Action=DescribeReplicationGroups"), 400,
			"IncompleteSignature"},
		"10 MB":        {form, "", bytes.NewReader(make([]byte, 10<<20)), 403, "MissingAuthenticationToken"},
		"another form": {"text/plain", "", strings.NewReader("hello"), 0, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, c.body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.contentType)
		r.Header.Set("Expect", "100-continue") // who is refused before all is sent may not see the answer
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
			r.Header.Set("X-Amz-Date", "20261123T000000Z")
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if response.StatusCode/100 != 4 || c.status != 0 && response.StatusCode != c.status ||
			!strings.Contains(string(body), c.code) {
			t.Errorf("%s: answers %d %s", name, response.StatusCode, body)
		}
	}
	if s := d.status("uex-payments-dev-redis"); s.Status != "available" {
		t.Errorf("afterwards the group is %s", s.Status)
	}
}
