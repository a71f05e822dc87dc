package sns

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxDrained is how much of a subscriber's answer is read, in bytes, so that its connection can be used again. Its
// header has no more either: an endless one is a failure.
const maxDrained = 64 << 10

// deliver hands a message to a subscriber.
func (s *Service) deliver(ctx context.Context, policy httpPolicy, of topic, sub subscription, m message) error {
	if sub.isHTTP() {
		return s.post(ctx, policy, of, sub, m)
	}
	return s.mail(of, sub, m)
}

// post sends a message to an HTTP subscriber. A redirect is not followed; 429 and what begins with 5 is tried again,
// and every other refusal is final, as on AWS.
func (s *Service) post(ctx context.Context, policy httpPolicy, of topic, sub subscription, m message) (err error) {
	raw := sub.Attributes[rawMessageDelivery] == "true" && m.Kind == notification
	body := []byte(m.bodyFor(sub.Protocol))
	if !raw {
		if body, err = s.envelope(of, sub, m); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, sub.Endpoint, bytes.NewReader(body))
	if err != nil {
		return errors.Join(withoutURL(err), errPermanent)
	}
	h := request.Header
	h.Set("Content-Type", policy.RequestPolicy.HeaderContentType)
	h.Set("User-Agent", "Amazon Simple Notification Service Agent")
	h.Set("X-Amz-Sns-Message-Type", m.Kind)
	h.Set("X-Amz-Sns-Message-Id", m.ID)
	h.Set("X-Amz-Sns-Topic-Arn", m.Topic)
	if m.Kind == notification {
		h.Set("X-Amz-Sns-Subscription-Arn", s.arn(sub.key()))
	}
	if raw {
		h.Set("X-Amz-Sns-Rawdelivery", "true")
	}
	answer, err := s.Client.Do(request)
	if err != nil {
		return withoutURL(err)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, maxDrained))
	err = errors.Join(err, answer.Body.Close())
	switch code := answer.StatusCode; {
	case code/100 == 2:
		return nil // the message was taken, however its answer ended
	case code == http.StatusTooManyRequests || code >= 500:
		return errors.Join(fmt.Errorf("the subscriber answers %s", answer.Status), err)
	default:
		return errors.Join(fmt.Errorf("the subscriber answers %s", answer.Status), err, errPermanent)
	}
}

// withoutURL is an error without the subscriber's URL, which often has a secret in it and is not for the log.
func withoutURL(err error) error {
	if named := (*url.Error)(nil); errors.As(err, &named) {
		return fmt.Errorf("cannot post to the subscriber: %w", named.Err)
	}
	return err
}

// NewClient is a client that posts to subscribers: it follows no redirect, and goes through no proxy.
func NewClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 2, MaxIdleConns: 64, IdleConnTimeout: idleTimeout,
			MaxResponseHeaderBytes: maxDrained,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
