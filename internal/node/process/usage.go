package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"larder/internal/node"
)

// usage reads what the kernel reports about a whole process. Its files are opened once, as scheduler's are.
type usage struct{ stat, status *os.File }

func openUsage(pid int) (usage, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.Open(dir + "/stat")
	if err != nil {
		return usage{}, err
	}
	status, err := os.Open(dir + "/status")
	if err != nil {
		stat.Close()
		return usage{}, err
	}
	return usage{stat, status}, nil
}

func (u usage) close() {
	u.stat.Close()
	u.status.Close()
}

// Usage reads the usage of the whole process; see node.Process.
func (p *process) Usage() (node.Usage, error) {
	u, err := p.usage.read()
	if err != nil {
		return u, fmt.Errorf("cannot look at %s: %w", p.id, err)
	}
	return u, nil
}

func (u usage) read() (node.Usage, error) {
	var buffer [4 << 10]byte
	n, err := u.stat.ReadAt(buffer[:], 0)
	if n == 0 {
		return node.Usage{}, err
	}
	fields, err := statFields(buffer[:n])
	if err != nil {
		return node.Usage{}, err
	}
	used, err := ticks(fields, userTime, systemTime, childrenUserTime, childrenSystemTime)
	if err != nil {
		return node.Usage{}, err
	}
	n, err = u.status.ReadAt(buffer[:], 0)
	if n == 0 {
		return node.Usage{}, err
	}
	resident, errResident := kibibytes(buffer[:n], "VmRSS:")
	swapped, errSwapped := kibibytes(buffer[:n], "VmSwap:")
	return node.Usage{CPU: used, Resident: resident, Swapped: swapped}, errors.Join(errResident, errSwapped)
}

// private returns how many bytes of private memory the process has, used or not.
func (u usage) private() (uint64, error) {
	var buffer [4 << 10]byte
	n, err := u.status.ReadAt(buffer[:], 0)
	if n == 0 {
		return 0, err
	}
	has, err := kibibytes(buffer[:n], "VmData:")
	return uint64(has), err
}

// kibibytes returns the bytes in a line of a status file, such as "VmRSS:     1024 kB".
func kibibytes(status []byte, name string) (int64, error) {
	for line := range bytes.Lines(status) {
		rest, ok := bytes.CutPrefix(line, []byte(name))
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the kernel's line %q: %w", line, err)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("the kernel says nothing of %s", name)
}
