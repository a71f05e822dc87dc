package catalog

import (
	"regexp"
	"strings"
)

// The least and the most characters of a token that clients authenticate with.
const (
	MinAuthToken = 16
	MaxAuthToken = 128
)

// AuthTokenSpecials are the characters that a token may have besides letters and digits of ASCII. Source:
// CreateReplicationGroup in the API reference. The hyphen is the last, as a class of a regular expression needs it.
const AuthTokenSpecials = "!&#$^<>-"

// AuthTokenAlphabet are all characters that a token may have.
const AuthTokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" + AuthTokenSpecials

// AuthTokenForm is the regular expression of tokens, as Go and Terraform read it.
const AuthTokenForm = "^[A-Za-z0-9" + AuthTokenSpecials + "]{16,128}$"

var authToken = regexp.MustCompile(AuthTokenForm)

// IsAuthToken tells whether a text can be a token.
func IsAuthToken(s string) bool { return authToken.MatchString(s) }

// AuthTokenCharacter tells whether a token may have the character.
func AuthTokenCharacter(r rune) bool { return strings.ContainsRune(AuthTokenAlphabet, r) }
