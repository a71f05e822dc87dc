// Package caller says who asks for an action: a user, whom a verified signature names, or a service of AWS that acts
// for one of the account's resources. It decides nothing: what a caller may do is for others to say.
package caller

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// Caller is who asks. The zero value is nobody, and no policy lets nobody in. Callers can be compared with ==.
type Caller struct {
	ARN     string // of a user; empty for a service
	Service string // cloudwatch.amazonaws.com; empty for a user
	Account string // of the user, or of the service's resource
	// SourceARN is the service's resource that it acts for, such as an alarm; empty for a user, and where there is none.
	SourceARN string

	// The rest is of the request, and empty for a service.

	AccessKeyID string
	Region      string // the region that the signature is for
	// Address is the client's network address without its port, or Socket.
	Address   string
	UserAgent string
}

// Socket is the Address of a client of larder's own socket.
const Socket = "engine.sock"

// User is the one user of an account, without a request.
func User(account string) Caller {
	return Caller{ARN: "arn:aws:iam::" + account + ":user/larder", Account: account}
}

// Service is a service that acts for a resource of an account.
func Service(name, account, source string) Caller {
	return Caller{Service: name, Account: account, SourceARN: source}
}

// Internal tells whether larder itself asks, and no client's request does.
func (c Caller) Internal() bool { return c.Service != "" }

// Name is what records call the caller: the user's ARN, or the service; empty for nobody.
func (c Caller) Name() string {
	if c.Service != "" {
		return c.Service
	}
	return c.ARN
}

// UserName is the last part of a user's ARN; empty for a service.
func (c Caller) UserName() string { return c.ARN[strings.LastIndexByte(c.ARN, '/')+1:] }

// UserID is the unique identifier that IAM gives a user: AIDA and 17 capitals and digits. It is empty for a service.
func (c Caller) UserID() string {
	if c.ARN == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(c.Account))
	return "AIDA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

// String is how refusals call the caller.
func (c Caller) String() string {
	if c.Service != "" {
		return c.Service
	}
	return "User: " + c.ARN
}

type key struct{}

// With returns a context in which a caller asks.
func With(ctx context.Context, c Caller) context.Context { return context.WithValue(ctx, key{}, c) }

// Of is who asks in a context: the gateway gives every handler one. Where nobody asks, it is the zero Caller.
func Of(ctx context.Context) Caller {
	c, _ := ctx.Value(key{}).(Caller)
	return c
}
