package module

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"larder/internal/catalog"
)

// The modules for Terraform repeat what the catalog says: HCL reads no table of Go's.
func TestTerraformModulesHaveTheCatalogsTables(t *testing.T) {
	token := fmt.Sprintf("regex(%q", catalog.AuthTokenForm)
	spelt := fmt.Sprintf("use %d to %d letters, digits and %s, or", catalog.MinAuthToken, catalog.MaxAuthToken,
		strings.Join(strings.Split(catalog.AuthTokenSpecials, ""), " "))
	days := strings.Trim(fmt.Sprint(append([]int{0}, catalog.LogRetentionDays()...)), "[]")
	listed := "contains([" + strings.ReplaceAll(days, " ", ", ") + "], var.cloudwatch_log_retention_days)"
	for file, want := range map[string][]string{
		"redis":   {token, spelt, listed, "use one of " + days + "."},
		"secrets": {token, spelt},
	} {
		text, err := os.ReadFile("../../modules/" + file + "/variables.tf")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(text), w) {
				t.Errorf("modules/%s/variables.tf lacks %s", file, w)
			}
		}
	}
}

// A text is a token by the expression exactly if it is one by its length and its characters.
func TestTheFormOfTokensIsTheirAlphabet(t *testing.T) {
	form := regexp.MustCompile(catalog.AuthTokenForm)
	for r := rune(0); r < 0x3000; r++ {
		text := strings.Repeat(string(r), catalog.MinAuthToken)
		if form.MatchString(text) != catalog.AuthTokenCharacter(r) || (len(token(Secret(text))) == 0) !=
			catalog.AuthTokenCharacter(r) {
			t.Errorf("the form and the alphabet differ in %q", r)
		}
	}
	for n := range catalog.MaxAuthToken + 2 {
		want := n >= catalog.MinAuthToken && n <= catalog.MaxAuthToken
		if catalog.IsAuthToken(strings.Repeat("a", n)) != want {
			t.Errorf("a token of %d characters: want %v", n, want)
		}
	}
}
