package loopback

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
)

// Process is a process that has an address or a name which larder needs.
type Process struct {
	PID     int    // 0 if it may not be inspected, such as another user's
	Program string // empty if it may not be inspected
	User    string // a name, or a number if there is no name; empty if not known
}

// String describes the process for a sentence.
func (p Process) String() string {
	text := "a process that may not be looked at"
	if p.PID != 0 {
		text = fmt.Sprintf("process %d (%s)", p.PID, p.Program)
	}
	if p.User != "" {
		text += " of user " + p.User
	}
	return text
}

// Listener finds the process that listens on an address, or on every address of its port. It returns false if there is
// none.
func Listener(a netip.AddrPort) (Process, bool) {
	ip, port := a.Addr().As4(), fmt.Sprintf("%04X", a.Port())
	everywhere := strings.Repeat("0", 32) + ":" + port // [::] accepts IPv4 connections too
	own := fmt.Sprintf("%02X%02X%02X%02X:%s", ip[3], ip[2], ip[1], ip[0], port)
	const state, listen, uid, inode = 3, "0A", 7, 9
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		for _, f := range rows(table) {
			if len(f) > inode && f[state] == listen && (f[1] == own || f[1] == "00000000:"+port || f[1] == everywhere) {
				p := owner(f[inode])
				p.User = userName(f[uid])
				return p, true
			}
		}
	}
	return Process{}, false
}

// named finds the process that listens on an abstract socket.
func named(name string) (Process, bool) {
	const inode, path = 6, 7
	for _, f := range rows("/proc/net/unix") {
		if len(f) > path && f[path] == name {
			return owner(f[inode]), true
		}
	}
	return Process{}, false
}

// rows returns the fields of each line of a kernel table. It returns nothing if the table cannot be read, because it
// only makes messages clearer.
func rows(path string) (all [][]string) {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close() // read only: a failing close loses nothing
	for lines := bufio.NewScanner(f); lines.Scan(); {
		all = append(all, strings.Fields(lines.Text()))
	}
	return all
}

// owner finds the process that has a socket open.
func owner(inode string) Process {
	open, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return Process{}
	}
	for _, fd := range open {
		if to, err := os.Readlink(fd); err != nil || to != "socket:["+inode+"]" { // another user's, or gone
			continue
		}
		dir := filepath.Dir(filepath.Dir(fd))
		pid, _ := strconv.Atoi(filepath.Base(dir))
		program, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil {
			return Process{}
		}
		return Process{PID: pid, Program: strings.TrimSpace(string(program))}
	}
	return Process{}
}

func userName(uid string) string {
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return uid
}
