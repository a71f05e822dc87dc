package clients_test

import (
	"os"
	"os/exec"
	"testing"

	"larder/internal/testkit"
)

// testFish pastes what README says for fish, and takes it back. Where fish is not installed it is skipped, but in CI.
func testFish(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("fish"); err != nil {
		testkit.Missing(t, err.Error()+": "+installClients)
	}
	home := t.TempDir()
	cmd := command(t, "fish", write(t, "paste.fish", `
set -e REDIS_URL REDIS_TLS AWS_ENDPOINT_URL
larder env --format fish | source; or exit
set -gx SSL_CERT_FILE $TRUST
aws elasticache describe-replication-groups --query 'ReplicationGroups[].Status' --output text; or exit
redis-cli -u $REDIS_URL --no-auth-warning PING; or exit
echo $REDIS_TLS $REDIS_PASSWORD
larder env --format fish --unset | source; or exit
set -q REDIS_URL; or set -q AWS_ENDPOINT_URL; or functions -q aws; or echo gone
`))
	cmd.Env = append(cmd.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "TRUST="+os.Getenv("SSL_CERT_FILE"))
	if got, want := output(t, cmd), "available\nPONG\ntrue "+token+"\ngone\n"; got != want {
		t.Errorf("fish printed %q, want %q", got, want)
	}
}
