package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"larder/internal/awsregion"
)

// confirmed is a subscription that is. Its JSON is what `mail --confirm --json` prints.
type confirmed struct {
	Address         string `json:"address"`
	Topic           string `json:"topic"` // ARN
	SubscriptionARN string `json:"subscription_arn"`
}

// confirmMail confirms what the mails ask to confirm. Those of topics that are gone, or that nobody confirmed in time,
// are passed over.
func (t *tool) confirmMail(ctx context.Context, boxes *mailboxes) error {
	engine, err := t.connect(ctx)
	if err != nil {
		return err
	}
	mails, err := boxes.next()
	if err != nil {
		return err
	}
	failed := t.reportSkipped(boxes)
	var done []confirmed
	for _, m := range mails {
		if !m.Confirmation {
			continue
		}
		c, err := confirmOne(ctx, engine, m)
		var gone *types.NotFoundException
		var late *types.InvalidParameterException
		switch {
		case errors.As(err, &gone) || errors.As(err, &late):
			continue
		case err != nil:
			failed = true
			t.sayError(fmt.Errorf("cannot confirm %s: %w", m.Address, err), 1, nil)
			continue
		}
		if !slices.Contains(done, c) {
			done = append(done, c)
		}
	}
	if len(done) == 0 && failed {
		return silentError{}
	}
	if len(done) == 0 {
		return errors.New("no mail asks for a confirmation that is still good: they are for two days, and subscribing " +
			"again sends another")
	}
	if err := t.printConfirmed(done); err != nil || !failed {
		return err
	}
	return silentError{}
}

func (t *tool) printConfirmed(done []confirmed) error {
	if t.json {
		return printJSON(t.Stdout, done)
	}
	for _, c := range done {
		if _, err := fmt.Fprintf(t.Stdout, "%s gets what is published to %s\n", c.Address, c.Topic); err != nil {
			return err
		}
	}
	return nil
}

var confirmLink = regexp.MustCompile(`Action=ConfirmSubscription&[^\s"]+`)

func confirmOne(ctx context.Context, engine *client, m mail) (confirmed, error) {
	if topic, err := arn.Parse(m.Topic); err == nil && awsregion.Known(topic.Region) {
		engine = engine.in(topic.Region)
	}
	topics := sns.NewFromConfig(engine.config)
	form, err := url.ParseQuery(confirmLink.FindString(m.Text))
	if err != nil {
		return confirmed{}, fmt.Errorf("the link in the mail cannot be read: %w", err)
	}
	out, err := topics.ConfirmSubscription(ctx,
		&sns.ConfirmSubscriptionInput{TopicArn: &m.Topic, Token: aws.String(form.Get("Token"))})
	if err != nil {
		return confirmed{}, err
	}
	return confirmed{Address: m.Address, Topic: m.Topic, SubscriptionARN: aws.ToString(out.SubscriptionArn)}, nil
}
