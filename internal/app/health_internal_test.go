package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHealthNeedsNoSignature and hides nothing else of the API.
func TestHealthNeedsNoSignature(t *testing.T) {
	h := front{
		unsigned: []func(*http.Request) http.Handler{health},
		api:      http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }),
	}
	for request, want := range map[string]int{
		"GET /health": http.StatusOK, "HEAD /health": http.StatusOK, "POST /health": http.StatusForbidden,
		"GET /": http.StatusForbidden, "GET /health/x": http.StatusForbidden,
	} {
		method, path, _ := strings.Cut(request, " ")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != want || want == http.StatusOK && !strings.Contains(w.Body.String(), `"status":"running"`) {
			t.Errorf("%s: %d %s", request, w.Code, w.Body)
		}
	}
}
