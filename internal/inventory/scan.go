package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"larder/internal/statedir"
)

// Scan inspects every process of this machine that /proc shows.
func Scan() (Inventory, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return Inventory{}, fmt.Errorf("cannot look for processes: %w", err)
	}
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return Inventory{}, fmt.Errorf("cannot look for processes: /proc does not show this one: %w", err)
	}
	var facts []Facts
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		f, err := read(pid, own)
		if isGone(err) {
			continue
		}
		if err != nil {
			return Inventory{}, fmt.Errorf("cannot look at process %d: %w", pid, err)
		}
		facts = append(facts, f)
	}
	v := Inventory{Hidden: hidesProcesses()}
	if err := v.add(facts); err != nil {
		return Inventory{}, err
	}
	order(v.Processes)
	return v, nil
}

// add classifies processes. It describes them concurrently, because several file systems may hang.
func (v *Inventory) add(all []Facts) error {
	var ours []*described
	var work sync.WaitGroup
	probes := map[string]func() error{}
	for _, f := range all {
		id, verdict := Identify(f, os.Getuid())
		switch verdict {
		case Ours:
			d := &described{Facts: f, Identity: id}
			ours = append(ours, d)
			if probes[id.State] == nil { // one for all processes of a state directory
				probes[id.State] = sync.OnceValue(func() error { return statedir.Probe(id.State) })
			}
			probe := probes[id.State]
			work.Go(func() {
				if d.err = statedir.Storage(id.State, probe()); d.err == nil {
					d.as, d.err = describe(f, id)
				}
			})
		case Unknown:
			v.Unknown = append(v.Unknown, Suspect{PID: f.PID, Name: f.Name, Kind: id.Kind, Why: f.Unreadable})
		case Imitation:
			v.Imitators = append(v.Imitators, Suspect{PID: f.PID, Name: f.Name, Kind: id.Kind})
		}
	}
	work.Wait()
	for _, d := range ours {
		switch {
		case isGone(d.err):
		case errors.Is(d.err, unix.EMFILE) || errors.Is(d.err, unix.ENFILE):
			return fmt.Errorf("cannot look at process %d: %w", d.PID, d.err)
		case d.err != nil: // such as a failing file system: the process's directories are not known
			v.Unknown = append(v.Unknown, Suspect{PID: d.PID, Name: d.Name, Kind: d.Kind, Why: d.err})
		default:
			v.Processes = append(v.Processes, d.as)
		}
	}
	return nil
}

// described is a process of larder's with the result of describe.
type described struct {
	Facts
	Identity
	as  Process
	err error
}

// read collects the facts of a process. It reads what needs many calls only for a process that may be larder's. It
// returns an error for which isGone is true if the process has ended. Any other error is a problem of larder and not of
// the process, such as a lack of descriptors.
func read(pid int, ownNamespace string) (Facts, error) {
	proc := fmt.Sprintf("/proc/%d/", pid)
	stat, err := os.ReadFile(proc + "stat")
	if err != nil {
		return Facts{}, err
	}
	f, err := parseStat(stat)
	if err != nil {
		return Facts{}, err
	}
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		return Facts{}, err
	}
	if f.UID, err = realUser(status); err != nil || f.UID != os.Getuid() {
		return f, err
	}
	line, err := os.ReadFile(proc + "cmdline")
	if err != nil {
		return Facts{}, err
	}
	f.Args = words(line)
	environ, err := os.ReadFile(proc + "environ")
	f.Environ = words(environ)
	if err = f.note(err); err != nil || f.resembles() == "" {
		return f, err
	}
	return f, f.readLinks(proc, ownNamespace)
}

// note records that the process may not be inspected, and returns every other error.
func (f *Facts) note(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		f.Unreadable = err
		return nil
	}
	return err
}

func (f *Facts) readLinks(proc, ownNamespace string) error {
	var namespace string
	for _, l := range []struct {
		name string
		to   *string
	}{{"exe", &f.Executable}, {"cwd", &f.Dir}, {"fd/0", &f.Stdin}, {"ns/pid", &namespace}} {
		link, err := os.Readlink(proc + l.name)
		if errors.Is(err, fs.ErrNotExist) && l.name == "fd/0" { // it is closed
			err = nil
		}
		if err := f.note(err); err != nil {
			return err
		}
		*l.to = link
	}
	f.Foreign = namespace != ownNamespace
	open, err := os.ReadDir(proc + "fd")
	if err := f.note(err); err != nil {
		return err
	}
	for _, fd := range open {
		link, err := os.Readlink(proc + "fd/" + fd.Name())
		if isGone(err) { // closed meanwhile
			continue
		}
		if err := f.note(err); err != nil {
			return err
		}
		f.Files, f.numbers = append(f.Files, link), append(f.numbers, fd.Name())
	}
	f.Claims, err = claims(proc, f.Files)
	return f.note(err)
}

// claims reports whether one of a process's sockets listens on the name of an address block.
func claims(proc string, files []string) (bool, error) {
	table, err := os.ReadFile(proc + "net/unix")
	if err != nil {
		return false, err
	}
	const inode, path = 6, 7
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) <= path || !strings.HasPrefix(fields[path], "@larder/") {
			continue
		}
		for _, f := range files {
			if f == "socket:["+fields[inode]+"]" {
				return true, nil
			}
		}
	}
	return false, nil
}

// parseStat parses /proc/PID/stat. Source: proc_pid_stat(5).
func parseStat(stat []byte) (Facts, error) {
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')') // the name may contain any character
	if begin < 0 || end < begin {
		return Facts{}, fmt.Errorf("cannot read its status %q", stat)
	}
	f := Facts{Name: string(stat[begin+1 : end])}
	const state, parent, session, start = 0, 1, 3, 19
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) <= start {
		return Facts{}, fmt.Errorf("cannot read its status %q", stat)
	}
	f.State = fields[state][0]
	var errs [4]error
	f.PID, errs[0] = strconv.Atoi(strings.TrimSpace(string(stat[:begin])))
	f.Parent, errs[1] = strconv.Atoi(fields[parent])
	f.Session, errs[2] = strconv.Atoi(fields[session])
	f.Start, errs[3] = strconv.ParseUint(fields[start], 10, 64)
	return f, errors.Join(errs[:]...)
}

// realUser parses the real user id in /proc/PID/status.
func realUser(status []byte) (int, error) {
	for line := range strings.Lines(string(status)) {
		if ids, found := strings.CutPrefix(line, "Uid:"); found {
			if fields := strings.Fields(ids); len(fields) > 0 {
				return strconv.Atoi(fields[0])
			}
		}
	}
	return 0, errors.New("cannot read whose it is")
}

// words splits at zero bytes.
func words(raw []byte) []string {
	text := strings.TrimRight(string(raw), "\x00")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\x00")
}

// isGone reports whether an error says that a process has ended.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// hidesProcesses reports whether /proc is mounted so that it does not show every process. Source: proc(5), hidepid.
func hidesProcesses() bool {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) > 3 && fields[1] == "/proc" && strings.Contains(fields[3], "hidepid=") &&
			!strings.Contains(fields[3], "hidepid=0") {
			return true
		}
	}
	return false
}
