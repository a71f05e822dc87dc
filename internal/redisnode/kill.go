package redisnode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// killCommand is CLIENT KILL. It can end any connection to a node, including larder's own and replication's.
const killCommand = "client|kill"

// IsCut reports whether an error means that the node closed the connection.
func IsCut(err error) bool {
	closed := []error{io.EOF, syscall.EPIPE, syscall.ECONNRESET}
	return slices.ContainsFunc(closed, func(c error) bool { return errors.Is(err, c) })
}

// reconnect repeats an exchange if the node closed the connection. A client may have ended it with CLIENT KILL, which
// says nothing about the node. All of larder's commands may be repeated.
type reconnect struct{}

// DialHook changes nothing.
func (reconnect) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook repeats one command.
func (reconnect) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		err := next(ctx, command)
		if !IsCut(err) || ctx.Err() != nil {
			return err
		}
		command.SetErr(nil)
		return next(ctx, command)
	}
}

// ProcessPipelineHook repeats a pipeline.
func (reconnect) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		err := next(ctx, commands)
		if !IsCut(err) || ctx.Err() != nil {
			return err
		}
		for _, c := range commands {
			c.SetErr(nil)
		}
		return next(ctx, commands)
	}
}

// ErrFull reports that the node has maxclients connections and refuses larder's too.
var ErrFull = errors.New("the node has as many connections as it may have")

// Shield makes the node refuse CLIENT KILL to clients (NOPERM) until Unshield. It is for a node on which clients end
// each connection soon after it opens. Shield tries until ctx ends. It sends log-in and command together, so that they
// take effect even if the answers are cut off.
func (n *Node) Shield(ctx context.Context) error {
	if err := n.turnedAway(ctx); err != nil {
		return err
	}
	var cut error
	for {
		switch err := n.shieldOnce(ctx); {
		case err == nil, !IsCut(err) && cut == nil:
			return err
		case IsCut(err):
			cut = err
		}
		if ctx.Err() != nil {
			return cut
		}
	}
}

// Unshield permits CLIENT KILL to clients again.
func (n *Node) Unshield(ctx context.Context) error {
	return n.do(ctx, "ACL", "SETUSER", "default", "+"+killCommand)
}

// turnedAway returns ErrFull if the node refuses new connections because it has too many: then it sends an error at
// once.
func (n *Node) turnedAway(ctx context.Context) error {
	const most = 10 * time.Millisecond
	conn, err := n.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(most)); err != nil {
		return err
	}
	line, _ := bufio.NewReader(conn).ReadString('\n') // a node with room sends nothing
	if strings.HasPrefix(line, "-ERR max number of clients") {
		return ErrFull
	}
	return nil
}

// shieldOnce tries once, on a new connection.
func (n *Node) shieldOnce(ctx context.Context) error {
	conn, err := n.dial(ctx)
	if err != nil {
		return fmt.Errorf("cannot withhold CLIENT KILL: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	commands := appendCommand(nil, []string{"AUTH", AdminUser, n.password})
	commands = appendCommand(commands, []string{"ACL", "SETUSER", "default", "-" + killCommand})
	if _, err := conn.Write(commands); err != nil {
		return fmt.Errorf("cannot withhold CLIENT KILL: %w", err)
	}
	return readAnswers(conn, 2)
}

// readAnswers reads that many one-line answers and checks them.
func readAnswers(conn net.Conn, answers int) error {
	from := bufio.NewReader(conn)
	for range answers {
		line, err := from.ReadString('\n')
		if err != nil {
			return fmt.Errorf("cannot withhold CLIENT KILL: %w", err)
		}
		if !strings.HasPrefix(line, "+") {
			return fmt.Errorf("cannot withhold CLIENT KILL: the node answers %q", strings.TrimSpace(line))
		}
	}
	return nil
}

// kill ends the connections that match filters of CLIENT KILL: pairs of a filter and its value.
func (n *Node) kill(ctx context.Context, filters ...any) error {
	n.kills.Add(1)
	return n.do(ctx, append([]any{"CLIENT", "KILL"}, filters...)...)
}

// Kills returns how often others sent CLIENT KILL since the node's statistics began, including refused ones.
func (n *Node) Kills(ctx context.Context) (int64, error) {
	info, err := n.client.Info(ctx, "commandstats").Result()
	if err != nil {
		return 0, fmt.Errorf("cannot read how often clients were ended: %w", err)
	}
	var sum int64
	for field := range strings.SplitSeq(Fields(info)["cmdstat_"+killCommand], ",") {
		name, value, _ := strings.Cut(field, "=")
		if name != "calls" && name != "rejected_calls" {
			continue
		}
		count, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("cannot read how often clients were ended: %w", err)
		}
		sum += count
	}
	return sum - n.kills.Load(), nil
}
