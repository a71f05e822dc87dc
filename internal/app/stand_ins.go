package app

import (
	"larder/internal/services/kms"
	"larder/internal/services/sns"
	"larder/internal/standin"
)

// makeStandIns makes the key and the topics that deployments stand on where nobody made others.
func makeStandIns(s standin.StandIns, keys *kms.Service, topics *sns.Service) error {
	if err := keys.Ensure(s.KMSKeyARN, "Stand-in for module.kms"); err != nil {
		return err
	}
	for _, arn := range []string{s.CriticalTopicARN, s.WarningTopicARN, s.InfoTopicARN} {
		if err := topics.Ensure(arn); err != nil {
			return err
		}
	}
	return nil
}
