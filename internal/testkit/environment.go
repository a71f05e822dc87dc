package testkit

import (
	"os"
	"slices"
	"strings"
)

// Environment returns the test's environment without variables that would change what a program does: those of AWS,
// Terraform and larder, the user's AWS configuration, and proxies, which some programs use even for loopback.
func Environment() []string {
	var env []string
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		foreign := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		if !slices.ContainsFunc([]string{"AWS_", "TF_", "LARDER_"}, foreign) &&
			!strings.HasSuffix(strings.ToLower(name), "_proxy") {
			env = append(env, v)
		}
	}
	return append(env, "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
}
