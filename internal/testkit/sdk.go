package testkit

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/awsclient"
)

// Config is what an SDK client of any service needs to talk to an engine: env is what `larder env --json` prints.
func Config(env map[string]string) aws.Config {
	return awsclient.Config(env["AWS_REGION"], env["AWS_ENDPOINT_URL"], env["AWS_ACCESS_KEY_ID"],
		env["AWS_SECRET_ACCESS_KEY"])
}
