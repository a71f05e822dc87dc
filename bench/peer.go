package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// peer is a process of this program that answers without doing anything.
type peer struct {
	address netip.AddrPort
	cmd     *exec.Cmd
	stdin   io.Closer // its end is the process's
}

func startPeer(l launcher, c canned) (*peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, answerCommand)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := l(cmd.Start); err != nil {
		return nil, err
	}
	started := &peer{cmd: cmd, stdin: stdin}
	if err := json.NewEncoder(stdin).Encode(c); err != nil {
		return started, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return started, fmt.Errorf("the API's peer did not start: %w", err)
	}
	started.address, err = netip.ParseAddrPort(strings.TrimSpace(line))
	return started, err
}

func (p *peer) close() error {
	p.stdin.Close()
	return p.cmd.Wait()
}
