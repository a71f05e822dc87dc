package secretsmanager

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"larder/internal/audit"
	"larder/internal/store"
)

// secrets holds every secret, by name, until its recovery window is over.
const secrets = store.Table[secret]("secrets")

// secret is a secret and all its versions.
type secret struct {
	Name         string
	ARN          string
	Description  string
	KMSKeyID     string // of new versions; empty for the service's own key
	Policy       string // empty for none
	Tags         map[string]string
	Versions     map[string]*version // by id
	Created      time.Time
	Changed      time.Time
	LastAccessed time.Time // a day; zero when it was never read

	Deleted      time.Time // when deletion was asked for; zero when it was not
	DeletionDate time.Time // when the secret will be gone
}

// version is one value that a secret had, has or will have.
type version struct {
	ID           string
	Stages       []string
	Sealed       []byte // with Key, for the context of keyContext or the place that valueAAD names
	Key          string // a KMS key, or ownKey; empty where an earlier larder sealed it, which it did as with ownKey
	Binary       bool
	Created      time.Time
	LastAccessed time.Time // a day
}

// Staging labels that the service moves or removes itself.
const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
	pending  = "AWSPENDING"
)

// keptVersions is how many versions a secret keeps; those of the last day come on top.
const (
	keptVersions = 100
	day          = 24 * time.Hour
)

// staged returns the version that has the label, or nil.
func (s *secret) staged(stage string) *version {
	for _, v := range s.Versions {
		if slices.Contains(v.Stages, stage) {
			return v
		}
	}
	return nil
}

// move takes a label from the version that has it and gives it to another one. The version that was current becomes the
// previous one.
func (s *secret) move(stage string, to *version) {
	from := s.staged(stage)
	if from == to {
		return
	}
	if from != nil {
		from.drop(stage)
		if stage == current {
			s.move(previous, from)
		}
	}
	to.Stages = append(to.Stages, stage)
	slices.Sort(to.Stages)
}

// drop takes a label off a version.
func (v *version) drop(stage string) {
	v.Stages = slices.DeleteFunc(v.Stages, func(l string) bool { return l == stage })
}

// add gives the secret a new version with those labels, and drops old versions that have none. The first version is
// current whatever its labels. A version that a newer one replaces as the current one is no longer pending either: its
// rotation is over.
func (s *secret) add(v *version, stages []string) {
	if len(stages) == 0 || len(s.Versions) == 0 {
		stages = append(slices.Clone(stages), current)
	}
	if s.Versions == nil {
		s.Versions = map[string]*version{}
	}
	s.Versions[v.ID] = v
	if old := s.staged(current); old != nil && slices.Contains(stages, current) {
		old.drop(pending)
	}
	for _, stage := range stages {
		s.move(stage, v)
	}
	for _, old := range s.newestFirst()[min(keptVersions, len(s.Versions)):] {
		if len(old.Stages) == 0 && v.Created.Sub(old.Created) > day {
			delete(s.Versions, old.ID)
		}
	}
}

// newestFirst lists the versions.
func (s *secret) newestFirst() []*version {
	return slices.SortedFunc(maps.Values(s.Versions), func(a, b *version) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// stages lists the labels of each version that has some.
func (s *secret) stages() map[string][]string {
	out := map[string][]string{}
	for id, v := range s.Versions {
		if len(v.Stages) > 0 {
			out[id] = v.Stages
		}
	}
	return out
}

// valueAAD is what a version's value is sealed for.
func valueAAD(arn, version string) string { return "secret/" + arn + "/" + version }

// What names and ids have at most, in characters.
const (
	maxName = 512
	maxID   = 2048
)

var validName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@!-]+$`)

func checkName(name *string) error {
	if len(*name) > maxName || !validName.MatchString(*name) {
		return validation("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: " +
			"-/_+=.@!")
	}
	return nil
}

// checkID refuses what can be neither a secret's name nor an ARN.
func (s *Service) checkID(id *string) error {
	if strings.HasPrefix(*id, "arn:") {
		return nil
	}
	return checkName(id)
}

// find returns the secret that an id names: its name, its ARN, or its ARN without the random end.
func (s *Service) find(tx *store.Tx, id *string) (secret, error) {
	if err := s.checkID(id); err != nil {
		return secret{}, err
	}
	name, isARN := strings.CutPrefix(*id, s.arnPrefix())
	if end := len(name) - suffixLength - 1; isARN && end > 0 && name[end] == '-' {
		found, err := s.get(tx, name[:end])
		if err == nil && found.ARN == *id || err != nil && !isNotFound(err) {
			return found, err
		}
	}
	return s.get(tx, name)
}

// get returns the secret of that name. One whose recovery window is over is gone, though it may still be stored.
func (s *Service) get(tx *store.Tx, name string) (secret, error) {
	found, err := secrets.Get(tx, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && s.gone(found) {
		return secret{}, notFound("Secrets Manager can't find the specified secret.")
	}
	return found, err
}

func (s *Service) gone(found secret) bool {
	return !found.Deleted.IsZero() && !s.Now().Before(found.DeletionDate)
}

// findLive returns a secret that is not being deleted.
func (s *Service) findLive(tx *store.Tx, id *string) (secret, error) {
	found, err := s.find(tx, id)
	if err == nil && !found.Deleted.IsZero() {
		err = invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return found, err
}

// change changes a live secret, and returns it as it is then. No transaction is open while it is changed.
func (s *Service) change(ctx context.Context, id *string, change func(*secret) error) (found secret, err error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	err = s.Store.View(func(tx *store.Tx) (err error) {
		found, err = s.findLive(tx, id)
		return err
	})
	if err != nil {
		return found, err
	}
	if err := change(&found); err != nil {
		return found, err
	}
	return found, s.keep(ctx, found)
}

// keep writes a secret. changing must be held.
func (s *Service) keep(ctx context.Context, changed secret) error {
	return audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		return errors.Join(s.purge(tx), secrets.Put(tx, changed.Name, changed))
	})
}

// update changes secrets in one transaction.
func (s *Service) update(ctx context.Context, change func(*store.Tx) error) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	return audit.Update(ctx, s.Store, change)
}

// purge drops what is gone.
func (s *Service) purge(tx *store.Tx) error {
	all, err := secrets.List(tx)
	for _, found := range all {
		if s.gone(found) {
			err = errors.Join(err, secrets.Delete(tx, found.Name))
		}
	}
	return err
}
