package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/smithy-go"

	"larder/internal/app"
	"larder/internal/awsclient"
	"larder/internal/services/larder"
	"larder/internal/statedir"
)

// client talks to one engine.
type client struct {
	app.Info
	cache  *elasticache.Client
	config aws.Config // of the engine's other services
	http   *http.Client
	single bool   // it looks at its own region only
	chosen string // the one region to look at; empty for every one in use
}

// newClient talks to the engine of a state directory through its socket, and not by its address, which another process
// may have.
func (t *tool) newClient(home app.Home, i app.Info) *client {
	through := &http.Client{Transport: t.transport(home)}
	config := awsclient.Config(i.Region, i.Endpoint, i.AccessKeyID, i.SecretAccessKey)
	config.HTTPClient = awsclient.Whole(through)
	return &client{Info: i, cache: elasticache.NewFromConfig(config), config: config, http: through}
}

// connect finds the running engine.
func (t *tool) connect(ctx context.Context) (*client, error) {
	home, err := t.home()
	if err != nil {
		return nil, err
	}
	c, err := t.connectAt(ctx, home)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("cannot look into the state directory %s: %w\n"+
			"next: `ls -la %s` shows whose it is and its modes; `chmod -R u+rwX %s` opens one of yours, and `larder "+
			"up DIR` mends its modes",
			home, err, home, home)
	}
	return c, err
}

func (t *tool) connectAt(ctx context.Context, home app.Home) (*client, error) {
	if err := home.Answers(); err != nil {
		return nil, err
	}
	info, err := home.ReadInfo()
	if errors.Is(err, fs.ErrNotExist) {
		info, err = t.awaitInfo(ctx, home)
	}
	var unreadable *app.InfoError
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return nil, t.notRunning(home)
	case errors.As(err, &unreadable):
		return nil, t.unreadable(home, err)
	case err != nil:
		return nil, err
	}
	c := t.newClient(home, info)
	facts, err := c.engine(ctx)
	var refused smithy.APIError
	switch {
	case errors.As(err, &refused):
		return nil, fmt.Errorf("the engine of %s refuses the credential in its engine.json: %w", home, err)
	case err != nil:
		return nil, err
	case facts.Endpoint == "":
		return nil, fmt.Errorf("the engine of %s is of an earlier larder: `kill %d` ends it (its nodes go on), then "+
			"`larder up DIR` or `larder serve`", home, facts.PID)
	}
	c.Endpoint, c.PID = facts.Endpoint, int(facts.PID) // engine.json may be an earlier engine's: the disk was full
	c.chosen = t.region
	t.remember(home)
	return c, nil
}

// awaitInfo reads the info file when the engine, if there is one, serves: it has written the file by then.
func (t *tool) awaitInfo(ctx context.Context, home app.Home) (info app.Info, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine", nil) // unsigned: any answer will do
	if err != nil {
		return info, err
	}
	answer, err := t.transport(home).RoundTrip(r)
	if err != nil {
		return info, err
	}
	if err := answer.Body.Close(); err != nil {
		return info, err
	}
	info, err = home.ReadInfo()
	if errors.Is(err, fs.ErrNotExist) {
		return info, t.unreadable(home,
			fmt.Errorf("the engine runs, and engine.json, which has its credential, is missing: %w", err))
	}
	return info, err
}

// unreadable tells what to do about an info file that cannot be read. Without an engine it says nothing anyway.
func (t *tool) unreadable(home app.Home, why error) error {
	pid, held, err := home.Holder()
	if err != nil {
		return errors.Join(why, err)
	}
	if !held {
		return t.notRunning(home)
	}
	end := "end the engine's process"
	if pid != 0 {
		end = fmt.Sprintf("end the engine with `kill %d`", pid)
	}
	return fmt.Errorf("%w\nnext: %s (its nodes go on), then `larder up DIR` or `larder serve`, which writes the file anew",
		why, end)
}

func (c *client) engine(ctx context.Context) (out larder.DescribeEngineOutput, err error) {
	return out, c.call(ctx, "DescribeEngine", larder.DescribeEngineInput{}, &out)
}

// call runs an action of the engine's own service.
func (c *client) call(ctx context.Context, action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", larder.Target+"."+action)
	sum := sha256.Sum256(body)
	key := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(sum[:]), larder.Name, c.Region,
		time.Now()); err != nil {
		return err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("cannot reach the engine: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("cannot read the engine's answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return apiError(answer, response.Status)
	}
	return json.Unmarshal(answer, out)
}

func apiError(answer []byte, status string) error {
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(answer, &e); err != nil || e.Type == "" {
		return fmt.Errorf("the engine answered %s: %q", status, answer)
	}
	return &smithy.GenericAPIError{Code: e.Type, Message: e.Message}
}

// plain words an error for a person: of several each on a line, and of an SDK error only what the service said.
func plain(err error) string {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, e := range all.Unwrap() {
			lines = append(lines, plain(e))
		}
		return strings.Join(lines, "\n")
	}
	var operation *smithy.OperationError
	var api smithy.APIError
	var away *engineError
	var storage *statedir.StorageError
	switch {
	case errors.As(err, &storage): // the same, however many things were tried
		return storage.Error()
	case errors.As(err, &away): // whatever was asked
		return away.text
	case errors.As(err, &operation) && errors.As(err, &api):
		before, _, _ := strings.Cut(err.Error(), operation.Error())
		return fmt.Sprintf("%s%s (%s)", before, api.ErrorMessage(), api.ErrorCode())
	case errors.As(err, &api):
		return fmt.Sprintf("%s (%s)", api.ErrorMessage(), api.ErrorCode())
	}
	return err.Error()
}
