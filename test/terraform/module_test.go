package terraform

import "testing"

func TestFormat(t *testing.T) {
	w := newWorkspace(t, ".")
	if out, err := w.try("fmt", "-check", "-recursive", "-diff", "."); err != nil {
		t.Errorf("terraform fmt would change:\n%s", out)
	}
}

func TestValidate(t *testing.T) {
	for _, dir := range []string{
		"modules/kms", "modules/redis", "modules/secrets", "modules/security", "modules/sns", "modules/vpc",
		"examples/cluster", "examples/development", "examples/production", "examples/staging",
	} {
		t.Run(dir, func(t *testing.T) {
			newWorkspace(t, dir).init().must("validate", "-no-color")
		})
	}
}

// The module's own tests, with a provider that makes nothing.
func TestModule(t *testing.T) {
	out, err := newWorkspace(t, "modules/redis").init().try("test", "-no-color")
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
