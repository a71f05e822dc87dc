package app

import "larder/internal/standin"

// lentKeys is the key that deployments stand on where nobody made another one.
func lentKeys(s standin.StandIns) map[string]string {
	return map[string]string{s.KMSKeyARN: "Stand-in for module.kms"}
}
