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

// health returns who serves a request for the health report, and nil for any other request.
func health(r *http.Request) http.Handler {
	if r.URL.Path != healthPath || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(healthReport{"running", Version}) // the client may have gone
	})
}
