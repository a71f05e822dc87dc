package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"golang.org/x/sync/errgroup"

	"larder/internal/app"
)

// request is one HTTP request as it goes over the wire, signed once: the server checks the signature each time.
type request struct {
	address netip.AddrPort
	wire    []byte
}

// describeGroups asks the engine for all replication groups.
func describeGroups(ctx context.Context, engine app.Info) (request, error) {
	body := url.Values{"Action": {"DescribeReplicationGroups"}, "Version": {"2015-02-02"}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, engine.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		return request{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: engine.AccessKeyID, SecretAccessKey: engine.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(sum[:]), "elasticache", engine.Region,
		time.Now()); err != nil {
		return request{}, err
	}
	address, err := netip.ParseAddrPort(r.URL.Host)
	if err != nil {
		return request{}, err
	}
	var wire bytes.Buffer
	err = r.Write(&wire)
	return request{address, wire.Bytes()}, err
}

// once sends the request on a new connection and returns the answer.
func (r request) once(ctx context.Context) (canned, error) {
	c, err := r.connect(ctx)
	if err != nil {
		return canned{}, err
	}
	defer c.Close()
	header, body, err := c.roundTrip(r.wire)
	return canned{header, body}, err
}

// repeat sends the request on that many connections, again and again, until the time is over. It returns how long each
// took.
func (r request) repeat(ctx context.Context, connections int, span time.Duration) (sample, error) {
	times := make([]sample, connections)
	all, ctx := errgroup.WithContext(ctx)
	deadline := time.Now().Add(span)
	for i := range connections {
		all.Go(func() error {
			c, err := r.connect(ctx)
			if err != nil {
				return err
			}
			defer c.Close()
			for begin := time.Now(); len(times[i]) == 0 ||
				begin.Before(deadline); { // connecting can take all the time that there is
				if _, _, err := c.roundTrip(r.wire); err != nil {
					return err
				}
				end := time.Now()
				times[i] = append(times[i], end.Sub(begin).Seconds())
				begin = end
			}
			return nil
		})
	}
	err := all.Wait()
	var merged sample
	for _, t := range times {
		merged = append(merged, t...)
	}
	return merged, err
}

// connection is a keep-alive HTTP connection.
type connection struct {
	net.Conn
	in *bufio.Reader
}

// exchangeLimit bounds all that is done on one connection.
const exchangeLimit = time.Minute

func (r request) connect(ctx context.Context) (*connection, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", r.address.String())
	if err != nil {
		return nil, err
	}
	return &connection{conn, bufio.NewReader(conn)}, conn.SetDeadline(time.Now().Add(exchangeLimit))
}

// roundTrip wants 200 OK.
func (c *connection) roundTrip(wire []byte) (http.Header, []byte, error) {
	if _, err := c.Write(wire); err != nil {
		return nil, nil, err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		err = errors.Join(err, fmt.Errorf("%s answered %s: %s", c.RemoteAddr(), response.Status, body))
	}
	return response.Header, body, err
}
