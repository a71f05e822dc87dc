package gateway

import "context"

// Identity is who a request comes from and where it is addressed to, for handlers.
type Identity struct {
	AccessKeyID string
	AccountID   string
	Region      string
}

type identityKey struct{}

// WithIdentity returns a context that carries id, as handlers are given one.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, id)
}

// IdentityFrom returns the identity the gateway put in ctx; it is zero outside of a request.
func IdentityFrom(ctx context.Context) Identity {
	id, _ := ctx.Value(identityKey{}).(Identity)
	return id
}
