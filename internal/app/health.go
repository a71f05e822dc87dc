package app

import (
	"encoding/json"
	"net/http"
)

// healthPath answers without a signature, for whoever waits for an engine.
const healthPath = "/health"

// healthReport says that the engine serves. An engine that does not answers nothing.
type healthReport struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

// health serves the health report. Everything else goes to next.
func health(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != healthPath || r.Method != http.MethodGet && r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(healthReport{"running", Version}) // who asked may have gone
	})
}
