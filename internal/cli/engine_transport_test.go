package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// late is an engine that tells when it is asked, and answers when it is told to.
func late(t *testing.T, farewell time.Duration) (url string, c *http.Client, asked chan struct{}, answer chan string) {
	t.Helper()
	asked, answer = make(chan struct{}, 1), make(chan string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		select {
		case text := <-answer:
			_, _ = io.WriteString(w, text)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	transport := &engineTransport{next: server.Client().Transport,
		limits: answerLimits{look: time.Hour, suspended: time.Hour, silent: time.Hour, farewell: farewell}}
	return server.URL, &http.Client{Transport: transport}, asked, answer
}

// post sends a request, and returns what it comes to.
func post(ctx context.Context, c *http.Client, url string) (text string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return "", err
	}
	response, err := c.Do(r)
	if err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	return string(body), errors.Join(err, response.Body.Close())
}

type answered struct {
	text string
	err  error
}

func TestAnInterruptedRequestGetsItsAnswer(t *testing.T) {
	t.Parallel()
	url, c, asked, answer := late(t, time.Hour)
	ctx, interrupt := context.WithCancel(t.Context())
	end := make(chan answered)
	go func() {
		text, err := post(ctx, c, url)
		end <- answered{text, err}
	}()
	<-asked
	interrupt()
	select {
	case got := <-end:
		t.Fatalf("it ended before the engine answered: %q, %v", got.text, got.err)
	case answer <- "created":
	}
	if got := <-end; got.text != "created" || got.err != nil {
		t.Errorf("the request came to %q, %v", got.text, got.err)
	}
	if _, err := post(ctx, c, url); !errors.Is(err, context.Canceled) {
		t.Errorf("a request after the interruption came to %v", err)
	}
}

func TestAnInterruptedRequestIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"interrupted": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(20*time.Millisecond, cancel)
			return ctx, cancel
		},
		"out of time": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 20*time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, c, _, _ := late(t, 50*time.Millisecond)
			ctx, cancel := begin(t.Context())
			defer cancel()
			if _, err := post(ctx, c, url); !errors.Is(err, ctx.Err()) {
				t.Errorf("it ended with %v, not %v", err, ctx.Err())
			}
		})
	}
}
