package gateway

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"larder/internal/caller"
)

// Grants are the access levels whose actions a caller may do, on every resource. Nobody may do anything by the zero
// value. Resources' own policies can forbid what grants allow.
type Grants []Access

// Everything grants every action.
func Everything() Grants { return Grants{List, Read, Write, Tagging, Permissions} }

// Request is what a caller asks for.
type Request struct {
	Action   string // as policies name it: elasticache:CreateSnapshot
	Access   Access
	Resource string // the ARN that the input names, or *
}

// Permit tells whether the grants allow a request.
func (g Grants) Permit(r Request) bool { return needsNone(r.Action) || slices.Contains(g, r.Access) }

// needsNone tells whether an action needs no grant. Source: GetCallerIdentity in the API reference.
func needsNone(action string) bool { return action == "sts:GetCallerIdentity" }

// authorize refuses what the caller's grants do not allow, before anything is done or said of the resource.
func (g *Gateway) authorize(s *service, a *Action, by caller.Caller, input any) error {
	r := Request{Action: prefix(s.shapes.SigningName) + ":" + a.Name, Access: a.Access, Resource: resource(input)}
	if g.config.Grants(by).Permit(r) {
		return nil
	}
	return clientError(s.denied, "%s", denial(by, r))
}

// denial is AWS's sentence for what no policy of the caller allows.
func denial(by caller.Caller, r Request) string {
	return fmt.Sprintf("%s is not authorized to perform: %s on resource: %s because no identity-based policy allows the "+
		"%s action", by, r.Action, r.Resource, r.Action)
}

// prefix is what the names of a service's actions begin with in policies.
func prefix(signingName string) string {
	if signingName == "monitoring" {
		return "cloudwatch"
	}
	return signingName
}

// resource is the first ARN among an input's own members; * where there is none.
func resource(input any) string {
	v := reflect.ValueOf(input).Elem()
	for i := range v.NumField() {
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if text, is := v.Field(i).Interface().(*string); is && text != nil && strings.HasPrefix(*text, "arn:") {
			return clip(*text)
		}
	}
	return "*"
}
