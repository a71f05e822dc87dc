package sns

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"larder/internal/audit"
	"larder/internal/awswire"
	"larder/internal/store"
)

const tokenBytes = 64

// newToken makes what a subscription is confirmed with. The subscription keeps only the hash.
func (s *Service) newToken() (token, hash string, err error) {
	b := make([]byte, tokenBytes)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		return "", "", fmt.Errorf("cannot make a token: %w", err)
	}
	token = hex.EncodeToString(b)
	return token, hashOf(token), nil
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// invitation is the message that a pending subscription's endpoint confirms with.
func (s *Service) invitation(topicARN, token string) (message, error) {
	id, err := s.newID()
	return message{
		ID: id, Kind: confirmation, Topic: topicARN, Token: token, Time: s.Now(),
		Body: "You have chosen to subscribe to the topic " + topicARN +
			".\nTo confirm the subscription, visit the SubscribeURL included in this message.",
	}, err
}

func (s *Service) confirmSubscription(
	ctx context.Context, in *sdk.ConfirmSubscriptionInput,
) (*sdk.ConfirmSubscriptionOutput, error) {
	if _, err := hex.DecodeString(aws.ToString(in.Token)); err != nil {
		return nil, &types.InvalidParameterException{Message: new("Invalid token")}
	}
	hash := hashOf(aws.ToString(in.Token))
	var found subscription
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		of, err := s.findTopic(tx, in.TopicArn)
		if errors.As(err, new(*types.NotFoundException)) { // no token is one of a topic that is not there
			return invalidParameter("Token")
		}
		if err != nil {
			return err
		}
		subscribed, err := s.subscribed(tx, of.Name)
		if err != nil {
			return err
		}
		for _, sub := range subscribed {
			if slices.ContainsFunc(sub.Tokens,
				func(known string) bool { return subtle.ConstantTimeCompare([]byte(known), []byte(hash)) == 1 }) {
				found = sub
			}
		}
		if found.ID == "" {
			return invalidParameter("Token")
		}
		if !found.Pending { // confirmed again
			return nil
		}
		found.Pending = false
		switch strings.ToLower(aws.ToString(in.AuthenticateOnUnsubscribe)) {
		case "true":
			found.Authenticated = true
		case "", "false":
		default:
			return invalidParameter("AuthenticateOnUnsubscribe Reason: it must be true or false")
		}
		return subscriptions.Put(tx, found.key(), found)
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ConfirmSubscriptionOutput{SubscriptionArn: new(s.arn(found.key()))}, nil
}

// Unsigned returns who serves a request that subscribers make without a signature, and nil for any other request.
// Messages to subscribers name these: the certificate of the signing key, the confirmation, the end of a subscription.
func (s *Service) Unsigned(r *http.Request) http.Handler {
	query := r.URL.Query()
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Header.Get("Authorization") != "" ||
		query.Has("X-Amz-Signature") {
		return nil
	}
	if certificate, ok := s.certificate(r.URL.Path); ok {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-pem-file")
			w.Write(certificate) // the client may have gone
		})
	}
	action := query.Get("Action")
	switch {
	case r.URL.Path == "/" && action == "ConfirmSubscription":
		return s.answering(action, func(ctx context.Context) (any, error) {
			in := &sdk.ConfirmSubscriptionInput{TopicArn: new(query.Get("TopicArn")), Token: new(query.Get("Token"))}
			return s.confirmSubscription(ctx, in)
		})
	case r.URL.Path == "/" && action == "Unsubscribe":
		return s.answering(action, func(context.Context) (any, error) {
			return s.unsubscribeUnsigned(query.Get("SubscriptionArn"))
		})
	}
	return nil
}

// answering returns a handler that runs an action without a signature.
func (s *Service) answering(action string, run func(context.Context) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := run(r.Context())
		s.answer(w, awswire.NewCodec(awswire.SNS()), action, out, err)
	})
}

// unsubscribeUnsigned ends a subscription that was not confirmed with AuthenticateOnUnsubscribe.
func (s *Service) unsubscribeUnsigned(arn string) (*sdk.UnsubscribeOutput, error) {
	err := s.Store.View(func(tx *store.Tx) error {
		found, err := s.findSubscription(tx, &arn)
		if errors.As(err, new(*types.NotFoundException)) {
			return nil
		}
		if err == nil && found.Authenticated {
			err = notAuthorized("Unsubscribing needs a signature: the subscription was confirmed with AuthenticateOnUnsubscribe")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.unsubscribe(context.Background(), &sdk.UnsubscribeInput{SubscriptionArn: &arn})
}

// answer writes what the API answers in its XML.
func (s *Service) answer(w http.ResponseWriter, codec *awswire.Codec, action string, out any, err error) {
	requestID, idErr := s.newID()
	var body []byte
	if err == nil {
		body, err = codec.AppendQueryResponse(nil, action, requestID, out)
	}
	status := http.StatusOK
	if err = errors.Join(err, idErr); err != nil {
		var refusal smithy.APIError
		if !errors.As(err, &refusal) {
			s.Logger.Error("cannot answer a subscriber", "action", action, "error", err)
			refusal = &smithy.GenericAPIError{Code: "InternalFailure",
				Message: "An internal error has occurred. Please try your query again at a later time.",
				Fault:   smithy.FaultServer}
		}
		status = statusOf(err, refusal)
		body = awswire.AppendQueryError(nil, awswire.SNS().Namespace, refusal.ErrorCode(), refusal.ErrorMessage(),
			requestID, refusal.ErrorFault() != smithy.FaultServer)
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	w.Write(body) // who asked may have gone
}

func statusOf(err error, refusal smithy.APIError) int {
	var own interface{ HTTPStatusCode() int }
	switch {
	case errors.As(err, &own):
		return own.HTTPStatusCode()
	case refusal.ErrorFault() == smithy.FaultServer:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}
