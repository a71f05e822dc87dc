package gateway_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"

	"larder/internal/awswire"
	"larder/internal/caller"
	"larder/internal/gateway"
	"larder/internal/sigv4"
)

// TestHandlersKnowTheCaller asks on the port and on a socket, as a user whose key only the verifier knows.
func TestHandlersKnowTheCaller(t *testing.T) {
	asked := make(chan caller.Caller, 1)
	describe := func(
		ctx context.Context, _ *elasticache.DescribeUsersInput,
	) (*elasticache.DescribeUsersOutput, error) {
		asked <- caller.Of(ctx)
		return &elasticache.DescribeUsersOutput{}, nil
	}
	g, err := gateway.New(gateway.Config{
		Services: []gateway.Service{{Shapes: awswire.ElastiCache(), Actions: []gateway.Action{
			gateway.Handle("DescribeUsers", gateway.List, describe),
		}}},
		User: user, Grants: everything, Region: region, NewRequestID: func() string { return "request-1" },
		Verifier: &sigv4.Verifier{Secret: func(id string) (string, bool) { return secret, id == keyID }, Now: time.Now},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "s")
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": path} {
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(g)
		s.Listener = l
		s.Start()
		t.Cleanup(s.Close)
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
		}
		c := server{Server: s}.config()
		c.BaseEndpoint = aws.String("http://127.0.0.1")
		c.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
		c.AppID = "the-test"
		if _, err := elasticache.NewFromConfig(c).DescribeUsers(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		got := <-asked
		want := user(keyID)
		want.AccessKeyID, want.Region, want.UserAgent = keyID, region, got.UserAgent
		want.Address = map[string]string{"tcp": "127.0.0.1", "unix": caller.Socket}[network]
		if got != want || got.UserAgent == "" {
			t.Errorf("%s: got %+v, want %+v", network, got, want)
		}
	}
}
