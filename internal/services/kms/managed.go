package kms

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"larder/internal/caller"
	"larder/internal/iampolicy"
	"larder/internal/store"
)

// predefined are the services that have a default key of their own, in the order of their names. Its alias is listed
// from the beginning; the key is made when somebody first asks for it. Source: the services' pages on encryption at
// rest.
func predefined() []string {
	return []string{
		"acm", "backup", "codecommit", "dynamodb", "ebs", "elasticache", "elasticfilesystem", "es", "fsx", "glue",
		"kinesis",
		"kinesisvideo", "lambda", "rds", "redshift", "s3", "secretsmanager", "ses", "sns", "sqs", "ssm", "workspaces",
		"xray",
	}
}

// withPredefined adds the predefined aliases that have no key yet to the others, in the order of the names.
func withPredefined(aliases []alias) []alias {
	for _, service := range predefined() {
		name := ownPrefix + service
		if !slices.ContainsFunc(aliases, func(a alias) bool { return a.Name == name }) {
			aliases = append(aliases, alias{Name: name})
		}
	}
	return aliases
}

// lend makes the key that id names, by its id or its ARN, when it is one that is lent and not there yet.
func (s *Service) lend(id *string) error {
	name, err := s.resource(id)
	if err != nil {
		return nil // whoever looks the key up says what is wrong
	}
	if purpose, lent := s.Lent[s.keyARN(name)]; lent {
		return s.ensure(s.keyARN(name), purpose)
	}
	return nil
}

// predefine makes the key that id names by a predefined alias, or that is lent, when it is not there yet.
func (s *Service) predefine(id *string) error {
	if err := s.lend(id); err != nil {
		return err
	}
	name, err := s.resource(id)
	service, own := strings.CutPrefix(name, ownPrefix)
	if err != nil || !own || !slices.Contains(predefined(), service) {
		return nil
	}
	missing := func(tx *store.Tx) (bool, error) {
		_, err := aliases.Get(tx, name)
		if errors.Is(err, store.ErrNotFound) {
			return true, nil
		}
		return false, err
	}
	lacks := false
	err = s.Store.View(func(tx *store.Tx) (err error) {
		lacks, err = missing(tx)
		return err
	})
	if err != nil || !lacks {
		return err
	}
	return s.Store.Update(func(tx *store.Tx) error {
		if lacks, err := missing(tx); err != nil || !lacks {
			return err
		}
		return s.addManaged(tx, service)
	})
}

// addManaged makes a service's default key, and has its alias stand for it.
func (s *Service) addManaged(tx *store.Tx, service string) error {
	id, err := s.newID()
	if err != nil {
		return err
	}
	k, err := s.newKey(id)
	if err != nil {
		return err
	}
	k.Service, k.Policy = service, s.managedPolicy(service)
	k.Description = fmt.Sprintf("Default key that protects my %s data when no other key is defined", service)
	k.Rotation = rotation{Enabled: true, Period: defaultPeriod, Next: k.Created.Add(defaultPeriod * day)}
	name := ownPrefix + service
	return errors.Join(keys.Put(tx, k.ID, k),
		aliases.Put(tx, name, alias{Name: name, Target: k.ID, Created: k.Created, Updated: k.Created}))
}

// managedPolicy lets the account's users use the key through its service, and look at it.
func (s *Service) managedPolicy(service string) string {
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "auto-%[1]s-1",
  "Statement" : [ {
    "Sid" : "Allow access through %[1]s for all principals in the account that are authorized to use %[1]s",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", `+
		`"kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "%[2]s",
        "kms:ViaService" : "%[1]s.%[3]s.amazonaws.com"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::%[2]s:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}`, service, s.Account, s.Region)
}

// lentPolicy is that of keys that deployments stand on where nobody made one: alarms and log groups may use them.
func (s *Service) lentPolicy() string {
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "lent",
  "Statement" : [ {
    "Sid" : "Account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::%[1]s:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  }, {
    "Sid" : "Alarms",
    "Effect" : "Allow",
    "Principal" : {
      "Service" : "cloudwatch.amazonaws.com"
    },
    "Action" : [ "kms:Decrypt", "kms:GenerateDataKey*" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "aws:SourceAccount" : "%[1]s"
      }
    }
  }, {
    "Sid" : "Logs",
    "Effect" : "Allow",
    "Principal" : {
      "Service" : "logs.%[2]s.amazonaws.com"
    },
    "Action" : [ "kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*" ],
    "Resource" : "*",
    "Condition" : {
      "ArnLike" : {
        "kms:EncryptionContext:aws:logs:arn" : "arn:aws:logs:%[2]s:%[1]s:log-group:*"
      }
    }
  } ]
}`, s.Account, s.Region)
}

func (k key) manager() types.KeyManagerType {
	if k.Service != "" {
		return types.KeyManagerTypeAws
	}
	return types.KeyManagerTypeCustomer
}

// user is who asks for what to be done with a key: a caller of KMS when service is empty, or an AWS service on the
// caller's behalf.
type user struct {
	by              caller.Caller
	action, service string
	context         map[string]string // the encryption context
}

// admit refuses what the key's policy does not let the account's users do, and what a service's default key does not
// let other services do. Services ask Permit for what the policies of customers' keys let them do.
func (s *Service) admit(by user, k key) error {
	switch {
	case by.service == "":
		return s.permit(k, by.action, use{caller: by.by, context: by.context})
	case k.Service == "" || k.Service == by.service:
		return nil
	}
	return s.unauthorized(iampolicy.Implicit, caller.User(s.Account), by.action, k)
}
