package elasticache

import (
	"strings"

	"larder/internal/cache"
)

// maxName is the length of a parameter or subnet group's name.
const maxName = 255

// identifier checks a name that the caller chose, and returns it as the service keeps it: in lower case.
func identifier(parameter string, name *string, limit int) (string, error) {
	switch {
	case name == nil || *name == "":
		return "", missing(parameter)
	case len(*name) > limit:
		return "", invalidValue("The parameter %s should be no more than %d characters.", parameter, limit)
	case !cache.ValidIdentifier(*name, limit):
		return "", invalidValue("The parameter %s is not a valid identifier. Identifiers must begin with a letter; "+
			"must contain only ASCII letters, digits, and hyphens; "+
			"and must not end with a hyphen or contain two consecutive hyphens.", parameter)
	}
	return strings.ToLower(*name), nil
}

// reference reads the name of something that should exist already.
func reference(parameter string, name *string) (string, error) {
	if name == nil || *name == "" {
		return "", missing(parameter)
	}
	return strings.ToLower(*name), nil
}

// filter reads a name that narrows a description down; without one it is empty and everything is described.
func filter(name *string) string {
	if name == nil {
		return ""
	}
	return strings.ToLower(*name)
}
