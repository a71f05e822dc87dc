package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const (
	mailPause   = 250 * time.Millisecond // between two looks at the mailboxes
	commandEnds = 2 * time.Second        // for what a command started to let go of its output
)

func (t *tool) mailCommand() *cobra.Command {
	p := postman{tool: t}
	var confirm bool
	c := &cobra.Command{
		Use:   "mail [ADDRESS]",
		Short: "Show the mail that SNS put into the mailboxes of this machine",
		Long: "Show the mail that SNS put into the mailboxes of this machine, the newest last: of all addresses, or of " +
			"one. No mail leaves the machine; a mailbox " +
			"is a Maildir in the folder mail of the state directory.\n\n" +
			"--confirm confirms the subscriptions that the mail asks to confirm: until then an address gets nothing else.\n\n" +
			"--exec runs a command of yours, with sh, for each mail that is unread: the text on its standard input, SUBJECT, " +
			"TOPIC (an ARN) and ADDRESS in its " +
			"environment. A mail whose command succeeds is marked as read. Quote the variables: whoever may publish " +
			"writes them.\n\n" +
			"A mail that cannot be read is skipped: standard error names it with the reason, the others are shown, " +
			"and the command ends with 1.",
		Example: "  larder mail\n  larder mail --confirm\n  larder mail --follow --exec 'notify-send \"$SUBJECT\"'",
		Args:    cobra.MaximumNArgs(1), ValidArgsFunction: t.completeAddress,
		RunE: func(c *cobra.Command, args []string) error {
			home, err := t.home()
			if err != nil {
				return err
			}
			if err := home.Answers(); err != nil {
				return err
			}
			p.boxes = &mailboxes{dir: home.MailDir(), address: strings.Join(args, ""), seen: map[string]bool{}}
			switch {
			case c.Flags().Changed("exec") && strings.TrimSpace(p.command) == "":
				return usageError{errors.New("--exec needs a command")}
			case confirm && (p.follow || p.command != ""):
				return usageError{errors.New("--confirm goes with neither --follow nor --exec")}
			case confirm:
				return t.confirmMail(c.Context(), p.boxes)
			}
			return p.run(c.Context())
		},
	}
	c.Flags().BoolVarP(&p.follow, "follow", "f", false, "go on with what arrives, until interrupted")
	c.Flags().StringVar(&p.command, "exec", "", "a command to run for each unread mail")
	c.Flags().BoolVar(&confirm, "confirm", false, "confirm the subscriptions that wait for it")
	c.Flags().BoolVar(&t.json, "json", false, "print a JSON object for each mail, for scripts")
	return c
}

func (t *tool) completeAddress(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	home, err := t.home()
	if err != nil || len(args) > 0 || home.Answers() != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	addresses, err := (&mailboxes{dir: home.MailDir()}).addresses()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return addresses, cobra.ShellCompDirectiveNoFileComp
}

// postman brings the mail.
type postman struct {
	*tool
	boxes   *mailboxes
	follow  bool
	command string // empty: none
}

func (p *postman) run(ctx context.Context) error {
	tick := time.NewTicker(mailPause)
	defer tick.Stop()
	for first := true; ; first = false {
		mails, err := p.boxes.next()
		if err != nil {
			return err
		}
		failed := p.reportSkipped(p.boxes)
		if first && len(mails) == 0 && !failed {
			if err := p.empty(); err != nil {
				return err
			}
		}
		for _, m := range mails {
			if p.command != "" && !m.Unread {
				continue
			}
			if err := p.bring(m); err != nil {
				return err
			}
			failed = p.runCommand(ctx, m) != nil || failed
			if ctx.Err() != nil {
				return nil
			}
		}
		if !p.follow {
			if failed {
				return silentError{}
			}
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// reportSkipped says which mails and mailboxes cannot be read, each once, and whether there are some.
func (t *tool) reportSkipped(b *mailboxes) bool {
	for _, err := range b.skipped {
		t.sayError(fmt.Errorf("skipped: %w", err), 1, nil)
	}
	some := len(b.skipped) > 0
	b.skipped = nil
	return some
}

// empty says why there is nothing to show.
func (p *postman) empty() error {
	addresses, err := p.boxes.addresses()
	if err != nil {
		return err
	}
	next := "subscribe an address: aws sns subscribe --topic-arn ARN --protocol email --notification-endpoint " +
		"you@example.com"
	if len(addresses) > 0 {
		next = "there is mail for " + strings.Join(addresses, ", ")
	}
	switch {
	case p.follow:
		return nil
	case p.boxes.address != "":
		return fmt.Errorf("there is no mail for %s\nnext: %s", p.boxes.address, next)
	}
	_, err = fmt.Fprintf(p.Stderr, "There is no mail.\nnext: %s\n", next)
	return err
}

// bring shows a mail.
func (p *postman) bring(m mail) error {
	if p.json {
		e := json.NewEncoder(p.Stdout)
		e.SetEscapeHTML(false)
		return e.Encode(m)
	}
	_, isTerminal := terminal(p.Stdout)
	for _, l := range m.lines() {
		if err := p.Stdout.line(l, 0, isTerminal && p.Getenv("NO_COLOR") == ""); err != nil {
			return err
		}
	}
	return nil
}

// lines are a mail: when, to whom, by which topic, the subject; and under it what to do, where there is something, and
// the whole text.
func (m mail) lines() []line {
	subject := span{text: m.Subject}
	if m.Unread {
		subject.colour = bold
	}
	head := line{{text: m.Time.Local().Format(time.DateTime) + "  "}, {text: m.Address + "  "},
		{text: m.Topic[strings.LastIndex(m.Topic, ":")+1:] + "  "}, subject}
	all := []line{head}
	if m.Confirmation {
		all = append(all, line{{text: "    "}, {text: "confirm it: larder mail --confirm " + m.Address, colour: yellow}})
	}
	for text := range strings.SplitSeq(strings.Trim(m.Text, "\n"), "\n") {
		all = append(all, line{{text: "    "}, {text: text, colour: dim}})
	}
	return all
}

// runCommand runs the user's command for a mail, and marks the mail as read when it succeeds. What fails is said here.
func (p *postman) runCommand(ctx context.Context, m mail) error {
	if p.command == "" {
		return nil
	}
	c := exec.CommandContext(ctx, "sh", "-c", p.command)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(m.Text), p.Stdout.raw, p.Stderr.raw // the user's own command
	if p.json {
		c.Stdout = p.Stderr.raw
	}
	c.WaitDelay = commandEnds
	c.Env = append(p.Environ[:len(p.Environ):len(p.Environ)], variable("SUBJECT", m.Subject),
		variable("TOPIC", m.Topic), variable("ADDRESS", m.Address))
	err := c.Run()
	if err == nil {
		err = m.markRead()
	}
	if err != nil && ctx.Err() == nil {
		p.sayError(fmt.Errorf("the command failed for %q, which stays unread: %w", m.Subject, err), 1, nil)
	}
	return err
}
