package sns_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"larder/internal/store"
	"larder/internal/testkit"
)

// story is a topic with a subscriber, told while a fault befalls the service at one of its transactions: either it
// dies there, and another run begins, or that transaction alone is not kept.
type story struct {
	*testing.T
	*server
	dies     bool
	at       int64
	begun    atomic.Int64
	stop     func()
	restarts int

	mu       sync.Mutex
	refusals map[string]int // how often the subscriber has yet to refuse a message
	taken    map[string]int // how often it took one
	token    string         // that confirms the subscription
}

func newStory(t *testing.T, dies bool, at int64) *story {
	s := &story{T: t, server: newServer(t), dies: dies, at: at, refusals: map[string]int{"one": 1},
		taken: map[string]int{}}
	s.store.Refuse(func() error {
		if n := s.begun.Add(1); n == at || n > at && dies {
			return errors.New("the engine has died")
		}
		return nil
	})
	s.clock.stops = func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.dead()
	}
	s.stop = s.run(t)
	return s
}

// befallen tells whether the fault has befallen the service.
func (s *story) befallen() bool { return s.begun.Load() >= s.at }

// dead tells whether the service has died: what it does then, nobody sees.
func (s *story) dead() bool { return s.dies && s.befallen() && s.restarts == 0 }

// ServeHTTP is the subscriber.
func (s *story) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var m struct{ Type, Message, Token string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		s.Error(err)
	}
	switch {
	case s.dead():
	case m.Type == "SubscriptionConfirmation":
		s.token = m.Token
	case s.refusals[m.Message] > 0:
		s.refusals[m.Message]--
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		s.taken[m.Message]++
	}
}

// revive begins another run of a service that has died.
func (s *story) revive() {
	s.mu.Lock()
	dead := s.dead()
	s.mu.Unlock()
	if !dead {
		return
	}
	s.stop()
	s.store.Refuse(nil)
	s.mu.Lock()
	s.restarts++
	s.mu.Unlock()
	s.stop = s.run(s.T)
}

// call has a client make a call until it succeeds.
func (s *story) call(what string, call func() error) {
	s.Helper()
	testkit.Within(s.T, time.Minute, what, func() bool {
		err := call()
		s.revive()
		return err == nil
	})
}

// await waits for what the subscriber sees.
func (s *story) await(what string, seen func() bool) {
	s.Helper()
	testkit.Within(s.T, time.Minute, what, func() bool {
		s.revive()
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.dead() && seen()
	})
}

// rows are how many records of the queue there are.
func (s *story) rows() (rows map[string]int) {
	s.Helper()
	rows = map[string]int{}
	err := s.store.View(func(tx *store.Tx) error {
		for _, name := range []string{"sns-messages", "sns-deliveries"} {
			keys, err := store.Table[json.RawMessage](name).Keys(tx)
			if err != nil {
				return err
			}
			if len(keys) > 0 {
				rows[name] = len(keys)
			}
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
	return rows
}

// tell subscribes, confirms, publishes three messages of which the subscriber refuses one at first, and unsubscribes
// with a message on its way.
func (s *story) tell(subscriber string) {
	s.Helper()
	var topic, arn string
	s.call("a topic", func() error {
		out, err := s.CreateTopic(s.Context(), &sdk.CreateTopicInput{Name: new("mine")})
		if err == nil {
			topic = *out.TopicArn
		}
		return err
	})
	s.call("a subscription", func() error {
		_, err := s.Subscribe(s.Context(), &sdk.SubscribeInput{TopicArn: &topic, Protocol: new("http"),
			Endpoint: &subscriber})
		return err
	})
	s.await("the subscriber is asked to confirm", func() bool { return s.token != "" })
	s.call("the confirmation", func() error {
		s.mu.Lock()
		token := s.token
		s.mu.Unlock()
		out, err := s.ConfirmSubscription(s.Context(), &sdk.ConfirmSubscriptionInput{TopicArn: &topic, Token: &token})
		if err == nil {
			arn = *out.SubscriptionArn
		}
		return err
	})
	for _, m := range []string{"one", "two", "three"} {
		s.call("publishing", func() error {
			_, err := s.Publish(s.Context(), &sdk.PublishInput{TopicArn: &topic, Message: &m})
			return err
		})
	}
	s.await("all messages are taken", func() bool { return len(s.taken) == 3 })
	s.await("nothing waits", func() bool { return len(s.rows()) == 0 })
	s.mu.Lock()
	s.refusals["four"] = 1 << 30
	s.mu.Unlock()
	s.call("publishing", func() error {
		_, err := s.Publish(s.Context(), &sdk.PublishInput{TopicArn: &topic, Message: new("four")})
		return err
	})
	s.call("the end of the subscription", func() error {
		_, err := s.Unsubscribe(s.Context(), &sdk.UnsubscribeInput{SubscriptionArn: &arn})
		return err
	})
	s.await("nothing waits for who is gone", func() bool { return len(s.rows()) == 0 })
}

// TestAFaultAtAnyTransaction: of a topic's and its subscriber's life, the service dies at the n-th transaction, or
// cannot write it for once, for every n. No message that was taken from a publisher is lost, only the one on its way
// may come twice, and nothing is left over.
func TestAFaultAtAnyTransaction(t *testing.T) {
	t.Parallel()
	for what, dies := range map[string]bool{"dies": true, "cannot write for once": false} {
		t.Run("the engine "+what, func(t *testing.T) {
			t.Parallel()
			for n := int64(1); ; n++ {
				befallen := false
				ok := t.Run(fmt.Sprint("transaction ", n), func(t *testing.T) {
					s := newStory(t, dies, n)
					subscriber := httptest.NewServer(s)
					defer subscriber.Close()
					s.tell(subscriber.URL)
					s.stop()
					subscriber.Close() // waits for deliveries that the service has given up
					s.mu.Lock()
					defer s.mu.Unlock()
					befallen = s.befallen()
					twice := 0
					for m, times := range s.taken {
						twice += times - 1
						if s.refusals[m] > 0 {
							t.Errorf("%q was taken, and is refused", m)
						}
					}
					if twice > 1 || twice == 1 && !befallen {
						t.Errorf("the subscriber took %v", s.taken)
					}
				})
				if !befallen || !ok {
					if n < 10 {
						t.Errorf("only %d transactions", n-1)
					}
					return
				}
			}
		})
	}
}
