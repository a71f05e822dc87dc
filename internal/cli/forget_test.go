package cli

import (
	"os/exec"
	"testing"

	"pgregory.net/rapid"

	"larder/internal/services/larder"
)

// TestForgetLine: a shell makes of the printed command the key that the record has, whatever bytes those are.
func TestForgetLine(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"vpc-1":        `larder forget vpcs vpc-1 --region eu-west-1`,
		"--yes":        `larder forget vpcs '"--yes"' --region eu-west-1`,
		"it's a\x00\n": `larder forget vpcs '"it\x27s a\x00\n"' --region eu-west-1`,
		"\xff\u202e":   `larder forget vpcs '"\xff\u202e"' --region eu-west-1`,
	} {
		d := larder.DamagedRecord{Table: "vpcs", Key: []byte(key)}
		if got := forgetLine("eu-west-1", d); got != want {
			t.Errorf("for %q: %s", key, got)
		}
		if got := forgetLine("us-east-1", d); got+" --region eu-west-1" != want {
			t.Errorf("at home for %q: %s", key, got)
		}
		word, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+spellKey(key)).Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readKey(string(word)); got != key || err != nil {
			t.Errorf("a shell makes %q of %q, %v", got, key, err)
		}
	}
	if _, err := readKey(`"a`); err == nil {
		t.Error("a quote that does not end is read")
	}
}

// TestSpellKey: every key is one word in single quotes, or plain, and is read back.
func TestSpellKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := string(rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "key"))
		word := spellKey(key)
		if !plainKey.MatchString(key) {
			inner := word[1 : len(word)-1]
			for _, c := range []byte(inner) {
				if c == '\'' || c < ' ' || c > '~' {
					t.Fatalf("%q is spelled %s", key, word)
				}
			}
			word = inner
		}
		if got, err := readKey(word); got != key || err != nil {
			t.Fatalf("%q is read as %q, %v", key, got, err)
		}
	})
}
