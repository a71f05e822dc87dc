package redisnode_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/internal/redisnode"
	"larder/internal/testkit"
)

// TestHasRead: a node that is paused reads what it is asked, and one that is busy does not. Neither answers.
func TestHasRead(t *testing.T) {
	const spin = `local t = redis.call('TIME')[1] + 3 while tonumber(redis.call('TIME')[1]) < t do end return 1`
	for name, c := range map[string]struct {
		user    string // clients may not pause a node
		command []any
		read    bool
	}{
		"paused": {redisnode.AdminUser, []any{"CLIENT", "PAUSE", "2000", "ALL"}, true},
		"busy":   {"default", []any{"EVAL", spin, "0"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := newField(t).serving(nil)
			client := a.client(a.config.Address, "", token)
			if err := client.Ping(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			sender := map[string]*redis.Client{"default": client, redisnode.AdminUser: a.admin}[c.user]
			done := make(chan error, 1)
			go func() { done <- sender.Do(t.Context(), c.command...).Err() }()
			answered := make(chan error, 2)
			ask := func() (answers bool) {
				go func() {
					_, err := a.AwaitState(t.Context())
					answered <- err
				}()
				select {
				case <-answered:
					return true
				case <-time.After(100 * time.Millisecond):
					return false
				}
			}
			testkit.Within(t, 5*time.Second, "it does not answer", func() bool { return !ask() })
			ask() // the first may have been read just before the command
			if read, err := a.HasRead(); read != c.read || err != nil {
				t.Errorf("it has read the questions: %v, %v", read, err)
			}
			for range 2 {
				if err := <-answered; err != nil {
					t.Error(err)
				}
			}
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}
