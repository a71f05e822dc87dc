package secretsmanager

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// The kinds of characters that a password is made of.
const (
	lowercase   = "abcdefghijklmnopqrstuvwxyz"
	uppercase   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	numbers     = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	space       = " "
)

const (
	defaultPassword = 32 // characters
	maxPassword     = 4096
)

func (s *Service) getRandomPassword(_ context.Context, in *sdk.GetRandomPasswordInput) (*sdk.GetRandomPasswordOutput,
	error) {
	length := int64(defaultPassword)
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	kinds := passwordKinds(in)
	all := strings.Join(kinds, "")
	var required []string
	if in.RequireEachIncludedType == nil || *in.RequireEachIncludedType {
		required = kinds
	}
	switch {
	case all == "":
		return nil, invalidParameter("The password must have characters: every one that could be in it is excluded.")
	case int(length) < len(required):
		return nil, invalidParameter("Password length is too short based on the required types.")
	}
	password, err := s.drawPassword(int(length), all, required)
	if err != nil {
		return nil, err
	}
	return &sdk.GetRandomPasswordOutput{RandomPassword: &password}, nil
}

// passwordKinds are the kinds of characters that a request leaves, without the characters that it excludes.
func passwordKinds(in *sdk.GetRandomPasswordInput) []string {
	var kinds []string
	for _, kind := range []struct {
		characters string
		left       bool
	}{
		{lowercase, !aws.ToBool(in.ExcludeLowercase)},
		{uppercase, !aws.ToBool(in.ExcludeUppercase)},
		{numbers, !aws.ToBool(in.ExcludeNumbers)},
		{punctuation, !aws.ToBool(in.ExcludePunctuation)},
		{space, aws.ToBool(in.IncludeSpace)},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(aws.ToString(in.ExcludeCharacters), r) {
				return -1
			}
			return r
		}, kind.characters)
		if kind.left && left != "" {
			kinds = append(kinds, left)
		}
	}
	return kinds
}

// drawPassword makes a password that has a character of every required kind, wherever chance puts it.
func (s *Service) drawPassword(length int, all string, required []string) (string, error) {
	var seed [32]byte
	if _, err := io.ReadFull(s.Random, seed[:]); err != nil {
		return "", fmt.Errorf("cannot make a password: %w", err)
	}
	chance := rand.New(rand.NewChaCha8(seed)) // as hard to guess as its seed
	password := make([]byte, length)
	for i := range password {
		from := all
		if i < len(required) {
			from = required[i]
		}
		password[i] = from[chance.IntN(len(from))]
	}
	chance.Shuffle(length, func(i, j int) { password[i], password[j] = password[j], password[i] })
	return string(password), nil
}
