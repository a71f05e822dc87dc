package testkit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mirrorVariable names the directory that holds the folder registry.terraform.io, if it is in none of the usual ones.
const mirrorVariable = "LARDER_TERRAFORM_MIRROR"

// Missing skips a test for want of a program, and fails it where everything has to be there.
func Missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Terraform returns the environment in which Terraform finds its providers without a registry; dir takes a file.
func Terraform(t *testing.T, dir string) []string {
	t.Helper()
	env, err := TerraformEnvironment(dir)
	switch {
	case errors.Is(err, ErrNoTerraform):
		Missing(t, err.Error())
	case err != nil:
		t.Fatal(err)
	}
	return env
}

// ErrNoTerraform says that Terraform or its provider is not on the machine.
var ErrNoTerraform = errors.New("cannot run Terraform")

// TerraformEnvironment is Terraform for what is not a test.
func TerraformEnvironment(dir string) ([]string, error) {
	if _, err := exec.LookPath("terraform"); err != nil {
		return nil, fmt.Errorf("%w: there is no terraform in PATH: install Terraform 1.11", ErrNoTerraform)
	}
	file, err := cliConfig(dir)
	if err != nil {
		return nil, err
	}
	return []string{"TF_CLI_CONFIG_FILE=" + file, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1",
		"AWS_EC2_METADATA_DISABLED=true"}, nil
}

// cliConfig returns the configuration file that is set, when it says where providers come from, or makes one.
func cliConfig(dir string) (string, error) {
	if given := os.Getenv("TF_CLI_CONFIG_FILE"); given != "" {
		if text, err := os.ReadFile(given); err == nil && strings.Contains(string(text), "provider_installation") {
			return given, nil
		}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	mirrors := []string{os.Getenv(mirrorVariable), home + "/.terraform.d/plugins", home + "/.terraform.d/plugin-cache",
		"/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/usr/local/lib/*", "/usr/lib/*", "/opt",
		"/opt/*"}
	for _, mirror := range mirrors {
		found, err := filepath.Glob(filepath.Join(mirror, "registry.terraform.io"))
		if mirror == "" || err != nil || len(found) == 0 {
			continue
		}
		file := filepath.Join(dir, "terraformrc")
		text := fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n",
			filepath.Dir(found[0]))
		return file, os.WriteFile(file, []byte(text), 0o600)
	}
	return "", fmt.Errorf("%w: there is no mirror of hashicorp/aws: set %s to the directory that holds the folder "+
		"registry.terraform.io", ErrNoTerraform, mirrorVariable)
}
