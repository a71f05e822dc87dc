package testkit

import (
	"os"
	"slices"
	"strings"
)

// Environment is the test's own without what would have a program do something else than the test says: the variables
// of AWS, Terraform and larder, the user's AWS configuration, and proxies, which some programs use on the way to this
// machine too.
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
