package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/aws/smithy-go"

	"larder/internal/awswire"
)

// fault is an error in the form that crosses the wire.
type fault struct {
	status  int
	code    string
	shape   string // the error's name in the service's model
	message string
	member  string // how awsJson spells the message's name; empty for "message"
	sender  bool   // the client's fault, not ours
	query   bool   // whether clients of awsQuery ask the service in other protocols too, and look for its code
}

// queryError is the fault for clients that know awsQuery's codes, whatever protocol they speak.
func (f fault) queryError() string {
	if f.sender {
		return f.code + ";Sender"
	}
	return f.code + ";Receiver"
}

// internalFailure is all that a client learns of an error that is no API error.
var internalFailure = fault{
	status:  http.StatusInternalServerError,
	code:    "InternalFailure",
	shape:   "InternalFailure",
	message: "An internal error has occurred. Please try your query again at a later time.",
}

// faultOf returns the fault for an error, and whether it is one that may cross
// the API: an SDK error type, a smithy code, or the codec's.
func faultOf(err error) (fault, bool) {
	if wire := wireError(err); wire != nil {
		err = wire
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return internalFailure, false
	}
	f := fault{
		status:  http.StatusBadRequest,
		code:    api.ErrorCode(),
		shape:   shapeOf(err, api.ErrorCode()),
		message: api.ErrorMessage(),
		sender:  api.ErrorFault() != smithy.FaultServer,
	}
	if !f.sender {
		f.status = http.StatusInternalServerError
	}
	if status, ok := statuses[f.code]; ok {
		f.status = status
	}
	var withStatus interface{ HTTPStatusCode() int }
	if errors.As(err, &withStatus) && withStatus.HTTPStatusCode() >= 400 {
		f.status = withStatus.HTTPStatusCode()
	}
	return f, true
}

// shapeOf is the name of an error's type where the SDK has one, or else its code.
func shapeOf(err error, code string) string {
	for ; err != nil; err = errors.Unwrap(err) {
		t := reflect.TypeOf(err)
		if t.Kind() == reflect.Pointer && strings.HasSuffix(t.Elem().PkgPath(), "/types") {
			return t.Elem().Name()
		}
	}
	return code
}

// wireError gives the codec's errors AWS's codes.
func wireError(err error) error {
	var (
		unknown *awswire.UnknownParameterError
		value   *awswire.ValueError
		syntax  *awswire.SyntaxError
	)
	switch {
	case errors.As(err, &unknown):
		return clientError("InvalidQueryParameter", "%s", unknown)
	case errors.As(err, &value):
		return clientError("MalformedInput", "%s", value)
	case errors.As(err, &syntax):
		return clientError("MalformedQueryString", "%s", syntax)
	}
	return nil
}

func clientError(code, format string, args ...any) error {
	return &smithy.GenericAPIError{Code: code, Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

func unavailable(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ServiceUnavailable", Message: fmt.Sprintf(format, args...),
		Fault: smithy.FaultServer}
}

// statuses are the codes whose HTTP status is not 400 for a client's fault or
// 500 for a server's. Source: ElastiCache's service model 2015-02-02 and AWS's
// list of common errors; EC2's API reference; the last three are HTTP's own.
var statuses = map[string]int{
	"AuthorizationNotFound":                http.StatusNotFound,
	"CacheClusterNotFound":                 http.StatusNotFound,
	"CacheParameterGroupNotFound":          http.StatusNotFound,
	"CacheSecurityGroupNotFound":           http.StatusNotFound,
	"GlobalReplicationGroupNotFoundFault":  http.StatusNotFound,
	"MalformedQueryString":                 http.StatusNotFound,
	"NodeGroupNotFoundFault":               http.StatusNotFound,
	"ReplicationGroupNotFoundFault":        http.StatusNotFound,
	"ReservedCacheNodeAlreadyExists":       http.StatusNotFound,
	"ReservedCacheNodeNotFound":            http.StatusNotFound,
	"ReservedCacheNodesOfferingNotFound":   http.StatusNotFound,
	"ServerlessCacheNotFoundFault":         http.StatusNotFound,
	"ServerlessCacheSnapshotNotFoundFault": http.StatusNotFound,
	"ServiceUpdateNotFoundFault":           http.StatusNotFound,
	"SnapshotNotFoundFault":                http.StatusNotFound,
	"TagNotFound":                          http.StatusNotFound,
	"UserGroupNotFound":                    http.StatusNotFound,
	"UserNotFound":                         http.StatusNotFound,

	"AccessDenied":                http.StatusForbidden,
	"AccessDeniedException":       http.StatusForbidden,
	"AuthorizationError":          http.StatusForbidden,
	"ExpiredTokenException":       http.StatusForbidden,
	"InvalidClientTokenId":        http.StatusForbidden,
	"MissingAuthenticationToken":  http.StatusForbidden,
	"OptInRequired":               http.StatusForbidden,
	"SignatureDoesNotMatch":       http.StatusForbidden,
	"UnrecognizedClientException": http.StatusForbidden,

	"NotAuthorized":               http.StatusUnauthorized,
	"InvalidCredentialsException": http.StatusRequestTimeout,
	"ServiceUnavailable":          http.StatusServiceUnavailable,

	"DryRunOperation": http.StatusPreconditionFailed,

	"MethodNotAllowed":      http.StatusMethodNotAllowed,
	"RequestEntityTooLarge": http.StatusRequestEntityTooLarge,
	"UnsupportedMediaType":  http.StatusUnsupportedMediaType,
}
