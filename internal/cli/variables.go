package cli

import (
	"fmt"
	"strings"
)

// variables are those of the environment that larder reads.
var variables = []struct{ name, is string }{
	{"LARDER_HOME", "the state directory (default XDG_STATE_HOME/larder, else HOME/.local/state/larder)"},
	{"LARDER_LISTEN", "the API's address (default " + defaultListen + ")"},
	{"LARDER_BUSY_LIMIT", "how long a node may run one command, such as 30s (default 15s)"},
	{"LARDER_LOST_DATA", "what a group whose data are lost begins with: empty (default) or newest-snapshot"},
	{"LARDER_METRICS_INTERVAL", "how often nodes are measured, such as 10s (default 60s)"},
	{"XDG_STATE_HOME", "see LARDER_HOME"},
	{"HOME", "see LARDER_HOME"},
	{"PATH", "where redis-server, redis-cli and aws are looked for"},
	{"AWS_REGION", "the region of a configuration whose provider names none"},
	{"AWS_DEFAULT_REGION", "the same, where AWS_REGION is not set"},
	{"TF_VAR_NAME", "the variable NAME of a configuration"},
	{"REDISCLI_AUTH", "the auth token for larder connect, where larder does not keep it"},
	{"NO_COLOR", "no colours, where it is not empty"},
	{"TERM", "dumb: screens are not redrawn"},
}

// variablesHelp lists the variables for the help.
func variablesHelp() string {
	var b strings.Builder
	b.WriteString("Variables of the environment:")
	for _, v := range variables {
		fmt.Fprintf(&b, "\n  %-24s %s", v.name, v.is)
	}
	return b.String()
}
