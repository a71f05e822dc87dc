package app

import "larder/internal/defaultdeps"

// lentKeys describes the key that calls use when nobody made another one. KMS makes it when it is first used.
func lentKeys(s defaultdeps.Defaults) map[string]string {
	return map[string]string{s.KMSKeyARN: "Stand-in for module.kms"}
}
