package app

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/durable"
	"larder/internal/pki"
	"larder/internal/seal"
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

// LogFile is where an engine in the background logs.
func (h Home) LogFile() string { return h.path("engine.log") }

// MailDir holds a mailbox, a Maildir, for each address that SNS mails to; the address is its name, escaped as in a URL's path.
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

// ReadInfo reads what the engine of this state directory wrote when it was last started; fs.ErrNotExist says there was none. An
// InfoError is of no consequence when no engine holds the directory, see Holder: the next one writes the file anew.
func (h Home) ReadInfo() (Info, error) {
	var i Info
	raw, err := os.ReadFile(h.infoFile())
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal(raw, &i); err != nil {
		return i, &InfoError{h.infoFile(), err}
	}
	return i, nil
}

func (h Home) writeInfo(i Info) error {
	raw, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(h.infoFile(), append(raw, '\n'))
}

// prepare makes the directory, or says why it cannot be used.
func (h Home) prepare() error {
	if err := os.MkdirAll(h.nodes(), 0o700); err != nil {
		return fmt.Errorf("cannot use the state directory: %w; choose another with LARDER_HOME", err)
	}
	probe, err := os.CreateTemp(string(h), ".probe-*")
	if err != nil {
		return fmt.Errorf("cannot write to the state directory: %w; choose another with LARDER_HOME", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
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

// loadIdentity returns the installation's identity, made the first time; its address block is zero until one is claimed.
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

// authority opens the local CA.
func (id identity) authority(sealer *seal.Sealer) (*pki.Authority, error) {
	key, err := sealer.Open("identity/ca-key", id.Key)
	if err != nil {
		return nil, err
	}
	return pki.ParseAuthority(id.Certificate, key)
}

// systemBundles are where distributions keep the certificates that programs trust.
var systemBundles = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"}

// writeTrust writes what clients shall trust: the local CA alone, and together with the system's.
func (h Home) writeTrust(certificate []byte) error {
	if err := os.WriteFile(h.AuthorityFile(), certificate, 0o644); err != nil {
		return err
	}
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
	return os.WriteFile(h.BundleFile(), bundle, 0o644)
}

// orphanPatience is how long a state file may be held by what a killed engine left: a process that it was starting keeps the
// engine's files open until it has become another program.
const orphanPatience = 3 * time.Second

// openState opens the state file, which no living engine may hold.
func (h Home) openState() (*store.Store, error) {
	for end := time.Now().Add(orphanPatience); ; { // every Open waits a little
		s, err := store.Open(h.stateFile())
		if !errors.Is(err, store.ErrLocked) {
			return s, err
		}
		owner := h.owner()
		if owner != 0 || time.Now().After(end) {
			return nil, fmt.Errorf("another larder runs on the state directory %s%s: stop it with `larder down`, or give this one a directory of its own with LARDER_HOME", h, processText(owner))
		}
	}
}

// owner is the process that wrote the info file last, if it runs; otherwise 0.
func (h Home) owner() int {
	if i, err := h.ReadInfo(); err == nil && runs(i.PID) {
		return i.PID
	}
	return 0
}

// Holder tells whether a process holds the state directory, as an engine does for as long as it runs, and which; 0 is one that may not
// be looked at.
func (h Home) Holder() (pid int, held bool, err error) {
	f, err := os.Open(h.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); {
	case err == nil:
		return 0, false, nil
	case !errors.Is(err, unix.EWOULDBLOCK):
		return 0, false, fmt.Errorf("cannot tell whether an engine holds %s: %w", h.stateFile(), err)
	}
	pid, err = holding(f)
	return pid, true, err
}

// holding finds another process that has a file open.
func holding(f *os.File) (pid int, err error) {
	file, err := f.Stat()
	if err != nil {
		return 0, err
	}
	open, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, err
	}
	for _, fd := range open {
		pid, _ := strconv.Atoi(strings.Split(fd, "/")[2])
		if other, err := os.Stat(fd); err == nil && pid != os.Getpid() && os.SameFile(file, other) { // what cannot be looked at is another user's, or gone
			return pid, nil
		}
	}
	return 0, nil
}

// runs tells whether there is such a process. One that has ended and is not buried yet has an id, and no command line.
func runs(pid int) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && len(line) > 0
}

func processText(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
