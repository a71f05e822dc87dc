package nodetest

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"larder/internal/node"
)

// programArgument makes a test binary run as the program of the contract.
const programArgument = "-nodetest-program"

// Modes of the program, in addition to answering on its socket.
const (
	dies   = "dies"   // logs its last words and ends before its socket opens
	hides  = "hides"  // never opens its socket
	deaf   = "deaf"   // ignores SIGTERM
	parent = "parent" // has a child in its process group that ignores SIGTERM
	child  = "child"  // is that child
)

// The main goroutine must stay on the main thread, of which the contract takes scheduler samples. Only an init function
// can lock it there.
func init() {
	if len(os.Args) > 1 && os.Args[1] == programArgument {
		runtime.LockOSThread()
	}
}

// Program runs the contract's program and returns true if the test binary was started as that. TestMain calls it first,
// and returns if it returns true.
func Program() bool {
	if len(os.Args) < 2 || os.Args[1] != programArgument {
		return false
	}
	if err := run(append(os.Args[2:], "")[0]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

// Spec returns a spec that starts the test binary as a node.
func Spec(t *testing.T, id string) node.Spec { return spec(t, id, "") }

// Hidden returns a spec of a node that never opens its socket.
func Hidden(t *testing.T, id string) node.Spec { return spec(t, id, hides) }

// Parent returns a spec of a node with a child in its process group that ignores SIGTERM. The request "child" returns
// the child's process id.
func Parent(t *testing.T, id string) node.Spec { return spec(t, id, parent) }

func spec(t *testing.T, id, habit string) node.Spec {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return node.Spec{ID: id, Path: exe, Args: []string{programArgument, habit}}
}

// Ask sends a node one request:
//   - "say TEXT" logs the text.
//   - "read PATH" returns a file.
//   - "work" uses 50 ms of processor time on the main thread.
//   - "stop" stops the node with a signal after the answer.
//   - "exit" ends the node.
func Ask(t *testing.T, p node.Process, request string) string {
	t.Helper()
	conn, err := p.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintln(conn, request)
	raw, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, conn))
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	return string(raw)
}

func run(habit string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	switch habit {
	case dies:
		return fmt.Errorf("these are my last words")
	case child:
		fmt.Println("ready")
		select {}
	case hides:
		<-stop
		return nil
	}
	p := program{work: make(chan chan struct{})}
	if habit == parent {
		if err := p.bear(); err != nil {
			return err
		}
	}
	l, err := net.Listen("unix", node.Socket)
	if err != nil {
		return err
	}
	go p.accept(l)
	for {
		select {
		case done := <-p.work:
			for begin := cpuTime(); cpuTime()-begin < 50*time.Millisecond; {
			}
			close(done)
		case <-stop:
			if habit != deaf {
				fmt.Println("bye")
				syscall.Exit(0) // os.Exit takes one second under the race detector
			}
		}
	}
}

// cpuTime returns the processor time of the calling thread.
func cpuTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

type program struct {
	childPID int
	work     chan chan struct{} // requests for the main thread
}

// bear starts the child, and returns once it ignores SIGTERM.
func (p *program) bear() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, programArgument, child)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.childPID = cmd.Process.Pid
	_, err = bufio.NewReader(out).ReadString('\n')
	return err
}

func (p *program) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go p.answer(conn)
	}
}

// answer reads one request, a word and its argument, and returns the answer in base64.
func (p *program) answer(conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return // the peer only tried whether the socket is there
	}
	word, argument, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	io.WriteString(conn, base64.StdEncoding.EncodeToString(p.reply(word, argument)))
}

func (p *program) reply(word, argument string) []byte {
	switch word {
	case "say":
		fmt.Println(argument)
	case "read": // returns a file
		raw, err := os.ReadFile(argument)
		if err != nil {
			return []byte(err.Error())
		}
		return raw
	case "work":
		done := make(chan struct{})
		p.work <- done
		<-done
	case "stop":
		time.AfterFunc(10*time.Millisecond, func() { syscall.Kill(os.Getpid(), syscall.SIGSTOP) })
	case "child":
		return []byte(strconv.Itoa(p.childPID))
	case "exit":
		os.Exit(3)
	}
	return nil
}
