package cli

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Two engines have two ports: a configuration that ships with larder names none, comments included.
func TestPrometheusConfigurationFixesNoPort(t *testing.T) {
	text := string(checked(os.ReadFile("../../docs/prometheus/scrape.yml"))(t))
	if port := regexp.MustCompile(`[\w.\]]:\d+`).FindString(text); port != "" || !strings.Contains(text, "larder.json") {
		t.Errorf("it names the port %s", port)
	}
}
