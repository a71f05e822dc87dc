package secretsmanager_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"pgregory.net/rapid"

	"larder/internal/servicetest"
)

// The kinds of characters, as the API reference lists them.
var passwordKinds = []string{
	"abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", " ",
}

// A password has the length that is asked for, no excluded character, and, unless that is not wanted, one of each kind.
func TestGetRandomPassword(t *testing.T) {
	s := newServer(t)
	rapid.Check(t, func(t *rapid.T) {
		in := &sdk.GetRandomPasswordInput{
			ExcludeLowercase: new(rapid.Bool().Draw(t, "no lowercase")), ExcludeUppercase: new(rapid.Bool().Draw(t,
				"no uppercase")),
			ExcludeNumbers: new(rapid.Bool().Draw(t, "no numbers")), ExcludePunctuation: new(rapid.Bool().Draw(t,
				"no punctuation")),
			IncludeSpace: new(true), PasswordLength: new(rapid.Int64Range(5, 64).Draw(t, "length")),
			ExcludeCharacters: new(rapid.StringOf(rapid.SampledFrom([]rune("abAB01!,"))).Draw(t, "excluded")),
		}
		if rapid.Bool().Draw(t, "any kind will do") {
			in.RequireEachIncludedType = new(false)
		}
		got := *must(s.GetRandomPassword(t.Context(), in))(t).RandomPassword
		if int64(len(got)) != *in.PasswordLength || strings.ContainsAny(got, *in.ExcludeCharacters) {
			t.Fatalf("got %q", got)
		}
		for i, excluded := range []bool{*in.ExcludeLowercase, *in.ExcludeUppercase, *in.ExcludeNumbers,
			*in.ExcludePunctuation, false} {
			has := strings.ContainsAny(got, passwordKinds[i])
			if excluded && has || !excluded && !has && in.RequireEachIncludedType == nil {
				t.Fatalf("got %q: characters of %q: %v", got, passwordKinds[i], has)
			}
		}
	})
	got := *must(s.GetRandomPassword(t.Context(), nil))(t).RandomPassword
	if len(got) != 32 || strings.Contains(got, " ") {
		t.Errorf("got %q", got)
	}
}

func TestPasswordRefusals(t *testing.T) {
	s := newServer(t)
	get := func(in sdk.GetRandomPasswordInput) error { _, err := s.GetRandomPassword(t.Context(), &in); return err }
	const code = "InvalidParameterException"
	servicetest.WantError(t, get(sdk.GetRandomPasswordInput{PasswordLength: new(int64(0))}), "ValidationException",
		refusal("'0'", "passwordLength", "have value greater than or equal to 1"))
	servicetest.WantError(t, get(sdk.GetRandomPasswordInput{PasswordLength: new(int64(4097))}), "ValidationException",
		refusal("'4097'", "passwordLength", "have value less than or equal to 4096"))
	servicetest.WantError(t, get(sdk.GetRandomPasswordInput{PasswordLength: new(int64(3))}), code,
		"Password length is too short based on the required types.")
	servicetest.WantError(t, get(sdk.GetRandomPasswordInput{
		ExcludeLowercase: new(true), ExcludeUppercase: new(true), ExcludePunctuation: new(true), ExcludeCharacters: new(
			"0123456789"),
	}), code, "The password must have characters: every one that could be in it is excluded.")
}
