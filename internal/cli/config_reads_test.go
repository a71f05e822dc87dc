package cli

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// twoCalls are two calls of the redis module, with a token that a variable gives and an output.
const twoCalls = `
variable "token" { sensitive = true }
module "redis" {
  for_each                = { cart = 2, stock = 3 }
  source                  = "./modules/redis"
  project_name            = "shop-${each.key}"
  environment             = "dev"
  num_cache_nodes         = each.value
  auth_token              = var.token
  redis_subnet_ids        = module.vpc.private_data_subnet_ids
  redis_security_group_id = module.security.redis_security_group_id
  kms_key_arn             = module.kms.key_arn
}
output "port" { value = module.redis["cart"].redis_port }
`

// openings counts how often each file of a directory is opened, from now until the returned function is called.
func openings(t *testing.T, dir string) (count func() map[string]int) {
	t.Helper()
	fd := checked(unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK))(t)
	t.Cleanup(func() {
		if err := unix.Close(fd); err != nil {
			t.Error(err)
		}
	})
	checked(unix.InotifyAddWatch(fd, dir, unix.IN_OPEN))(t)
	return func() map[string]int {
		t.Helper()
		opened := map[string]int{}
		buffer := make([]byte, 64<<10)
		for {
			n, err := unix.Read(fd, buffer)
			if errors.Is(err, unix.EAGAIN) {
				return opened
			}
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; at < n; {
				size := int(binary.NativeEndian.Uint32(buffer[at+12:]))
				name := buffer[at+unix.SizeofInotifyEvent : at+unix.SizeofInotifyEvent+size]
				opened[strings.TrimRight(string(name), "\x00")]++
				at += unix.SizeofInotifyEvent + size
			}
		}
	}
}

// A command reads each file of a configuration once, however many calls it has: what it checks is what it makes.
func TestEachFileOfAConfigurationIsReadOnce(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	r.write(twoCalls)
	values := filepath.Join(r.dir, "terraform.tfvars")
	if err := os.WriteFile(values, []byte(`token = "first-token-0123456789"`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []struct {
		name string
		code int
	}{{"plan", 2}, {"up", 0}, {"plan", 0}} {
		count := openings(t, r.dir)
		code, _, stderr := r.line(&refusal{}, command.name, r.dir)
		if code != command.code {
			t.Fatalf("larder %s ends with %d:\n%s", command.name, code, stderr)
		}
		opened := count()
		for _, file := range []string{"main.tf", "terraform.tfvars"} {
			if opened[file] != 1 {
				t.Errorf("larder %s reads %s %d times", command.name, file, opened[file])
			}
		}
	}
}

// A pipe gives what is in it once: a shell passes secrets so, as -var-file <(command).
func TestVariablesComeThroughAPipe(t *testing.T) {
	t.Parallel()
	r := &trial{t, newCloud(t), newHarness(t), t.TempDir()}
	r.write(twoCalls)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close() // only the command reads it
	if _, err := in.WriteString(`token = "first-token-0123456789"`); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := r.line(&refusal{}, "up", r.dir, "--var-file", fmt.Sprintf("/proc/self/fd/%d", out.Fd()))
	if code != 0 {
		t.Fatalf("larder up ends with %d:\n%s", code, stderr)
	}
	if outputs, _, _ := r.tokens("shop-cart/dev/redis"); outputs != "first-token-0123456789" {
		t.Errorf("the token is not what the pipe gave")
	}
}
