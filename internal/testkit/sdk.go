package testkit

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"larder/internal/awsclient"
)

// Config returns the configuration of an SDK client for an engine. env is the output of `larder env --json`.
func Config(env map[string]string) aws.Config {
	return awsclient.Config(env["AWS_REGION"], env["AWS_ENDPOINT_URL"], env["AWS_ACCESS_KEY_ID"],
		env["AWS_SECRET_ACCESS_KEY"])
}
