package redisnode

import (
	"context"
	"fmt"
	"strings"
)

// Info asks for sections of INFO, in one command.
func (n *Node) Info(ctx context.Context, sections ...string) (map[string]string, error) {
	info, err := n.client.Info(ctx, sections...).Result()
	if err != nil {
		return nil, fmt.Errorf("cannot read what the node says of itself: %w", err)
	}
	return Fields(info), nil
}

// AccessLog is ACL LOG: who was denied what, newest first.
func (n *Node) AccessLog(ctx context.Context) ([]map[string]string, error) {
	entries, err := n.client.Do(ctx, "ACL", "LOG").Slice()
	if err != nil {
		return nil, fmt.Errorf("cannot read what access the node denied: %w", err)
	}
	var log []map[string]string
	for _, entry := range entries {
		pairs, ok := entry.([]any)
		if !ok {
			return nil, fmt.Errorf("cannot read what access the node denied: %v is no entry", entry)
		}
		fields := map[string]string{}
		for i := 0; i+1 < len(pairs); i += 2 {
			fields[fmt.Sprint(pairs[i])] = fmt.Sprint(pairs[i+1])
		}
		log = append(log, fields)
	}
	return log, nil
}

// Fields reads the lines of an INFO answer.
func Fields(info string) map[string]string {
	f := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			f[name] = value
		}
	}
	return f
}
