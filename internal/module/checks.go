package module

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"larder/internal/catalog"
)

// check looks at the value of one input alone.
type check[T any] func(T) []problem

// bad is the one problem of a value.
func bad(value any, format string, args ...any) []problem {
	text := fmt.Sprint(value)
	if s, ok := value.(string); ok {
		text = strconv.Quote(s)
	}
	return []problem{{value: text, text: fmt.Sprintf(format, args...)}}
}

// between wants a number from low to high; what says what the limit is, and what to do.
func between(low, high int, what string) check[int] {
	return func(n int) []problem {
		switch {
		case n < low:
			return bad(n, "is less than %d, the least %s", low, what)
		case n > high:
			return bad(n, "is more than %d, the most %s", high, what)
		}
		return nil
	}
}

// oneOf wants one of a few strings.
func oneOf(what string, values ...string) check[string] {
	return func(s string) []problem {
		if slices.Contains(values, s) {
			return nil
		}
		return bad(s, "is not %s: use one of %s", what, strings.Join(values, ", "))
	}
}

// oneOfNumbers wants one of a few numbers.
func oneOfNumbers(what string, values ...int) check[int] {
	return func(n int) []problem {
		if slices.Contains(values, n) {
			return nil
		}
		return bad(n, "is not %s: use one of %s", what, strings.Trim(fmt.Sprint(values), "[]"))
	}
}

// form wants a string of a form that the text explains.
func form(pattern, text string) check[string] {
	re := regexp.MustCompile(pattern)
	return func(s string) []problem {
		if re.MatchString(s) {
			return nil
		}
		return bad(s, "%s", text)
	}
}

// each applies a check to every element and says which one is refused.
func each(c check[string]) check[[]string] {
	return func(list []string) (all []problem) {
		for i, s := range list {
			for _, p := range c(s) {
				all = append(all, problem{p.value, fmt.Sprintf("(element %d) %s", i+1, p.text)})
			}
		}
		return all
	}
}

// distinct wants no element twice.
func distinct(what string) check[[]string] {
	return func(list []string) (all []problem) {
		for i, s := range list {
			if first := slices.Index(list, s); first < i {
				all = append(all, bad(s, "(element %d) repeats element %d: name each %s once", i+1, first+1, what)...)
			}
		}
		return all
	}
}

// sized wants from low to high elements.
func sized(low, high int, what string) check[[]string] {
	return func(list []string) []problem {
		if n := len(list); n < low || n > high {
			return []problem{{"the list", fmt.Sprintf("has %d elements: give %d to %d %s", n, low, high, what)}}
		}
		return nil
	}
}

// given applies a check unless the value is null.
func given(c check[string]) check[*string] {
	return func(s *string) []problem {
		if s == nil {
			return nil
		}
		return c(*s)
	}
}

var (
	subnetID = form(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`,
		"is not a subnet ID: write subnet- and 8 or 17 hexadecimal digits")
	groupID = form(`^sg-([0-9a-f]{8}|[0-9a-f]{17})$`,
		"is not a security group ID: write sg- and 8 or 17 hexadecimal digits")
	// snapshotName has at most 40 characters: each repetition of the pattern takes one or two.
	snapshotName = func(s string) []problem {
		const text = "is not the name of a snapshot: use 1 to 40 lower-case letters, digits and single hyphens, a letter " +
			"first and no hyphen last"
		if len(s) > 40 {
			return bad(s, "%s", text)
		}
		return form(`^[a-z](-?[a-z0-9]){0,39}$`, text)(s)
	}
	topicARN = form(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`,
		"is not the ARN of an SNS topic: write arn:aws:sns:REGION:ACCOUNT:NAME, or null for none")
	zoneName = form(`^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$`, "is not an availability zone: write a name such as us-east-1a")

	// An alias is refused although AWS takes one: it answers with the key's ARN, and kms_key_id cannot change, so
	// Terraform would replace the cache on the next apply.
	keyARN = form(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$`,
		"is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias, which would make Terraform "+
			"replace the cache")
)

var (
	anyKeyARN = form(`^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/`,
		"is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID")
	logGroupPrefix = form(`^[A-Za-z0-9_/.#-]{0,399}[A-Za-z0-9_.#-]$`,
		"is not the start of a log group's name: use letters, digits and _ - / . #, without a slash at the end, or null "+
			"for /aws/elasticache")
)

// recoveryWindow is Secrets Manager's, in days.
func recoveryWindow(days int) []problem {
	if days == 0 || days >= 7 && days <= 30 {
		return nil
	}
	return bad(days, "is not a recovery window: use 7 to 30 days, or 0 to delete at once")
}

func ipv4Network(s string) []problem {
	if p, err := netip.ParsePrefix(s); err != nil || !p.Addr().Is4() {
		return bad(s, "is not an IPv4 network: write one such as 10.0.0.0/16")
	}
	return nil
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9-]*[a-z0-9]$`)

func projectName(s string) []problem {
	if !nameForm.MatchString(s) || strings.Contains(s, "--") {
		return bad(s,
			"is not a name AWS takes: start with a lower-case letter, go on with lower-case letters, digits and "+
				"single hyphens, and end without a hyphen")
	}
	return nil
}

func versionOffered(s string) []problem {
	if familyOf(s) != "" {
		return nil
	}
	var names []string
	for _, v := range engineVersions() {
		names = append(names, strconv.Quote(v.name))
	}
	return bad(s,
		"is not a version to ask ElastiCache for: use one of %s, in quotes and without a patch number from 6 on",
		strings.Join(names, ", "))
}

// token checks an auth token without ever repeating it; "" is no token.
func token(s Secret) []problem {
	const value = "the token (not shown)"
	if n := utf8.RuneCountInString(string(s)); n > 0 && (n < catalog.MinAuthToken || n > catalog.MaxAuthToken) {
		return []problem{{value,
			fmt.Sprintf("is %d characters long: use 16 to 128, or leave it out to have one generated", n)}}
	}
	for i, r := range []rune(string(s)) {
		if !catalog.AuthTokenCharacter(r) {
			return []problem{{value,
				fmt.Sprintf("has a character at position %d that AWS refuses: use letters, digits and ! & # $ ^ < > -",
					i+1)}}
		}
	}
	return nil
}

func timeout(s string) []problem {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || strconv.Itoa(n) != s {
		return bad(s, "is not a whole number of seconds: use \"0\" to never close idle connections, or \"20\" and more")
	}
	if n > 0 && n < 20 {
		return bad(s,
			"is less than 20 seconds, the least ElastiCache takes: use \"0\" to never close idle connections, or "+
				"\"20\" and more")
	}
	return nil
}

func keyspaceEvents(s string) []problem {
	for i, r := range s {
		if !strings.ContainsRune("KEg$lshzxeAtdmn", r) {
			return bad(s, "has a letter at position %d that Redis does not know: use K E g $ l s h z x e t d m n A",
				i+1)
		}
	}
	if s != "" && !strings.ContainsAny(s, "KE") {
		return bad(s,
			"has neither K nor E, so nothing would be notified: add K for keyspace events or E for keyevent events")
	}
	return nil
}

// dedicated are the parameters that have an input, or follow from one.
var dedicated = map[string]string{
	"maxmemory-policy":       "maxmemory_policy",
	"timeout":                "timeout",
	"notify-keyspace-events": "notify_keyspace_events",
	"cluster-enabled":        "cluster_mode_enabled",
}

func parameters(list []Parameter) (all []problem) {
	seen := map[string]int{}
	for i, p := range list {
		if input, ok := dedicated[p.Name]; ok {
			all = append(all, bad(p.Name, "(element %d) has an input of its own: set %s", i+1, input)...)
		}
		if p.Name == "" {
			all = append(all, bad(p.Name, "(element %d) is no name: name the parameter", i+1)...)
		}
		if first, ok := seen[p.Name]; ok {
			all = append(all, bad(p.Name, "(element %d) repeats element %d: name each parameter once", i+1, first)...)
			continue
		}
		seen[p.Name] = i + 1
	}
	return all
}

var tagCharacters = regexp.MustCompile(`^[\p{L}\p{N}\p{Zs}_.:/=+\-@]*$`)

func tags(m map[string]string) (all []problem) {
	for _, key := range sortedKeys(m) {
		switch n := utf8.RuneCountInString(key); {
		case n == 0 || n > 128:
			all = append(all, bad(key, "(a key) has %d characters: use 1 to 128", n)...)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			all = append(all, bad(key, "(a key) starts with aws:, which AWS keeps for itself: use another prefix")...)
		case !tagCharacters.MatchString(key):
			all = append(all,
				bad(key, "(a key) has a character AWS refuses: use letters, digits, spaces and + - = . _ : / @")...)
		}
		switch value := m[key]; {
		case utf8.RuneCountInString(value) > 256:
			all = append(all, bad(key, "has a value of %d characters: use at most 256",
				utf8.RuneCountInString(value))...)
		case !tagCharacters.MatchString(value):
			all = append(all,
				bad(key,
					"has a value with a character AWS refuses: use letters, digits, spaces and + - = . _ : / @")...)
		}
	}
	return all
}
