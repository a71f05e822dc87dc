package app

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"larder/internal/durable"
	"larder/internal/pki"
	"larder/internal/seal"
	"larder/internal/statedir"
	"larder/internal/store"
)

// Home is a state directory: all that larder keeps is under it.
type Home string

func (h Home) path(name string) string { return filepath.Join(string(h), name) }

// The files of a state directory.
func (h Home) stateFile() string { return h.path("larder.db") }
func (h Home) masterKey() string { return h.path("master.key") }
func (h Home) infoFile() string  { return h.path("engine.json") }
func (h Home) logs() string      { return h.path("logs") }
func (h Home) nodes() string     { return h.path("nodes") }
func (h Home) snapshots() string { return h.path("snapshots") }
func (h Home) metrics() string   { return h.path("metrics") }

// forgotten holds copies of the damaged records that were deleted.
func (h Home) forgotten() string { return h.path("forgotten") }

// LogFile is where an engine in the background logs.
func (h Home) LogFile() string { return h.path("engine.log") }

// MailDir holds a mailbox, a Maildir, for each address that SNS mails to; the address is its name, escaped as in a
// URL's path.
func (h Home) MailDir() string { return h.path("mail") }

// AuthorityFile holds the certificate of the local CA.
func (h Home) AuthorityFile() string { return h.path("ca.pem") }

// BundleFile holds the local CA's certificate and the system's, for programs that take one file for all they trust.
func (h Home) BundleFile() string { return h.path("ca-bundle.pem") }

// Info is what a client needs to talk to an engine. It is kept in the state directory, readable by its owner only.
type Info struct {
	Endpoint        string // of the API, such as http://127.0.0.1:4566
	Region          string
	AccessKeyID     string
	SecretAccessKey string
	PID             int
}

// InfoError says that the info file is not what an engine wrote.
type InfoError struct {
	File string
	Err  error
}

func (e *InfoError) Error() string { return fmt.Sprintf("cannot read %s: %v", e.File, e.Err) }

// ReadInfo reads what the engine of this state directory wrote when it was last started; fs.ErrNotExist says there was
// none. An InfoError is of no consequence when no engine holds the directory, see Holder: the next one writes the file
// anew. A file that another user wrote is not read: it would lead clients to where that user wants them. A
// statedir.StorageError is of the file system.
func (h Home) ReadInfo() (Info, error) {
	var i Info
	raw, err := answered(h, "reading engine.json", func() ([]byte, error) { return readOwn(h.infoFile()) })
	var foreign *foreignError
	if errors.As(err, &foreign) {
		return i, &InfoError{h.infoFile(), err}
	}
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(raw, &i); err != nil {
		return i, &InfoError{h.infoFile(), err}
	}
	return i, nil
}

// answered returns what f does in the directory. It waits for a file system that hangs for as long as statedir.Answer
// does; what that says, or another failure of a file system, is a statedir.StorageError.
func answered[T any](h Home, doing string, f func() (T, error)) (T, error) {
	value, err := statedir.Answer(string(h), doing, f)
	return value, statedir.Storage(string(h), err)
}

// Answers says why the file system of the directory cannot be used, if it cannot. A directory that is not there is none
// of its faults. Whoever asks it first does not come to wait for a file system that hangs.
func (h Home) Answers() error {
	if err := statedir.Probe(string(h)); err != nil {
		return statedir.Storage(string(h), err)
	}
	_, err := answered(h, "listing it", func() ([]os.DirEntry, error) { return os.ReadDir(string(h)) })
	var failed *statedir.StorageError
	if errors.As(err, &failed) {
		return failed
	}
	return nil
}

func (h Home) writeInfo(i Info) error {
	raw, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(h.infoFile(), append(raw, '\n'))
}

// Secure makes the directory, and sees that it and what is in it are this user's alone: in the log it says what it
// mended, and it returns why the directory cannot be used.
func (h Home) Secure(log *slog.Logger) (statedir.Mended, error) {
	mended, err := statedir.New().Secure(string(h))
	if what := mended.String(); what != "" {
		log.Warn(what)
	}
	var refused *statedir.Refusal
	if err != nil && !errors.As(err, &refused) {
		err = fmt.Errorf("cannot use the state directory: %w; choose another with LARDER_HOME", err)
	}
	return mended, err
}

// take makes the directory, holds it for this process, and removes what an earlier engine left in it; or it says why it
// cannot be used.
func (h Home) take(now time.Time, log *slog.Logger) (held *os.File, err error) {
	defer func() { err = statedir.Storage(string(h), err) }()
	if err := h.Answers(); err != nil {
		return nil, err
	}
	if err := h.prepare(log); err != nil {
		return nil, err
	}
	if held, err = h.hold(); err != nil {
		return nil, err
	}
	if err = h.clean(); err != nil {
		err = fmt.Errorf("cannot remove what an earlier engine left: %w", err)
	} else if err = h.makeWay(now, log); err == nil {
		err = h.refuseNew()
	}
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	return held, nil
}

// prepare makes the directory, or says why it cannot be used.
func (h Home) prepare(log *slog.Logger) error {
	if _, err := h.Secure(log); err != nil {
		return err
	}
	if err := h.checkDirectories(); err != nil {
		return err
	}
	probe, err := os.CreateTemp(string(h), ".engine.probe-*") // which only a state directory has
	if noRoom(err) {                                          // nodes that run have to be watched all the same
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot write to the state directory: %w; choose another with LARDER_HOME", err)
	}
	return errors.Join(probe.Close(), remove(probe.Name()))
}

// checkDirectories says where something else is in the place of a directory that larder keeps things in.
func (h Home) checkDirectories() error {
	for _, path := range []string{h.nodes(), h.snapshots(), h.metrics(), h.logs(), h.MailDir()} {
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			continue // what cannot be looked at is told by who uses it
		}
		name := filepath.Base(path)
		return fmt.Errorf("cannot use the state directory: %s is a file, and larder keeps its %s in a "+
			"directory of that "+
			"name. Move the file away, and start larder again: it makes the directory", path, name)
	}
	return nil
}

// clean removes what engines left that were killed while they wrote a file. Only the engine that holds the directory
// may.
func (h Home) clean() error {
	left, err := h.temporary()
	errs := []error{err}
	for _, path := range left {
		errs = append(errs, remove(path))
	}
	return errors.Join(errs...)
}

// remove removes a file that another engine, which starts at the same time, may remove too.
func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// temporary lists the files that an engine gives another name, or removes, as soon as they are written.
func (h Home) temporary() (paths []string, err error) {
	begins := []string{".engine.probe-", ".probe-", ".engine.json-", ".master.key-", ".ca.pem-", ".ca-bundle.pem-"}
	if _, err := os.Stat(h.stateFile()); err == nil { // else it may be all that is left of it
		begins = append(begins, ".larder.db-")
	}
	entries, err := os.ReadDir(string(h))
	for _, e := range entries {
		for _, begin := range begins {
			if strings.HasPrefix(e.Name(), begin) {
				paths = append(paths, h.path(e.Name()))
			}
		}
	}
	return paths, err
}

// identity is what an installation is given once, and keeps. Secrets are sealed.
type identity struct {
	AccessKeyID     string
	SecretAccessKey []byte
	Certificate     []byte // of the local CA, PEM
	Key             []byte
	Block           netip.Prefix // of loopback addresses
}

const identities = store.Table[identity]("identity")

// CheckRow says when an identity is none: another must not be made in its place.
func (id identity) CheckRow() error {
	if id.AccessKeyID == "" || len(id.SecretAccessKey) == 0 || len(id.Certificate) == 0 || len(id.Key) == 0 {
		return errors.New("it lacks a credential or the local CA")
	}
	return nil
}

// load returns the installation's identity and its sealer. They are made the first time, and never again: where the
// state directory holds anything of an installation, its identity and its master key must be there too.
func (h Home) load(s *store.Store, now time.Time) (id identity, sealer *seal.Sealer, err error) {
	err = s.View(func(tx *store.Tx) (err error) {
		id, err = identities.Get(tx, "self")
		return err
	})
	switch {
	case err == nil:
		sealer, err = seal.Load(h.masterKey())
	case errors.Is(err, store.ErrNotFound):
		if err = h.refuseRemains("larder.db holds nothing of it", h.remains()); err == nil {
			sealer, err = seal.Open(h.masterKey())
		}
	}
	if err != nil || id.AccessKeyID != "" {
		return id, sealer, err
	}
	id, err = loadIdentity(s, sealer, now)
	return id, sealer, err
}

// remains names what there is of an installation that was in use.
func (h Home) remains() (names []string) {
	for _, dir := range []string{h.nodes(), h.snapshots(), h.logs(), h.metrics(), h.MailDir(), h.path(regionsName)} {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			names = append(names, filepath.Base(dir))
		}
	}
	return names
}

// Used tells whether an installation has left anything in the directory.
func (h Home) Used() (bool, error) {
	for _, file := range []string{h.stateFile(), h.masterKey()} {
		_, err := os.Lstat(file)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return false, fmt.Errorf("cannot look into the state directory: %w", err)
		}
	}
	return len(h.remains()) > 0, nil
}

// refuseNew says that the state directory is of an installation whose state file is gone, if it is. An engine would
// begin a new one beside nodes that run and snapshots that nobody could open any more.
func (h Home) refuseNew() error {
	if info, err := os.Stat(h.stateFile()); err == nil && info.Size() > 0 {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot look at the state file: %w", err)
	}
	names := h.remains()
	if _, err := os.Lstat(h.masterKey()); err == nil { // which an engine makes before its info file
		names = append(names, filepath.Base(h.masterKey()))
	}
	return h.refuseRemains("larder.db is gone or empty", names)
}

func (h Home) refuseRemains(what string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("the state directory %s is of an installation (it has %s), and %s: larder begins no new one "+
		"over it, and ends none of its nodes\n"+
		"next: put this installation's larder.db back, or give it up: `larder down` ends its nodes, then move %s aside",
		h, strings.Join(names, ", "), what, h)
}

// loadIdentity returns the installation's identity, made the first time; its address block is zero until one is
// claimed.
func loadIdentity(s *store.Store, sealer *seal.Sealer, now time.Time) (identity, error) {
	var id identity
	err := s.Update(func(tx *store.Tx) (err error) {
		if id, err = identities.Get(tx, "self"); !errors.Is(err, store.ErrNotFound) {
			return err
		}
		authority, err := pki.NewAuthority(now)
		if err != nil {
			return err
		}
		key, err := authority.KeyPEM()
		if err != nil {
			return err
		}
		id = identity{
			AccessKeyID:     "AKIA" + rand.Text()[:16],
			SecretAccessKey: sealer.Seal("identity/secret-access-key", []byte(rand.Text()+rand.Text()[:14])),
			Certificate:     authority.CertificatePEM(),
			Key:             sealer.Seal("identity/ca-key", key),
		}
		return identities.Put(tx, "self", id)
	})
	return id, err
}

// systemBundles are where distributions keep the certificates that programs trust.
var systemBundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem"}

// writeTrust writes what clients shall trust.
func (h Home) writeTrust(certificate []byte) error {
	return errors.Join(h.writeAuthority(certificate), h.writeBundle(certificate))
}

// writeAuthority writes the certificate of the local CA.
func (h Home) writeAuthority(certificate []byte) error {
	return writeChanged(h.AuthorityFile(), certificate)
}

// writeBundle writes the local CA's certificate together with the system's.
func (h Home) writeBundle(certificate []byte) error {
	bundle := certificate
	for _, path := range systemBundles {
		system, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		bundle = append(append(system, '\n'), certificate...)
		break
	}
	return writeChanged(h.BundleFile(), bundle)
}

// writeChanged writes a file that anyone may read, unless it has that content: on a full disk what is there stays.
func writeChanged(path string, content []byte) error {
	if had, err := os.ReadFile(path); err == nil && bytes.Equal(had, content) {
		return nil
	}
	return durable.WriteFileMode(path, content, 0o644)
}
