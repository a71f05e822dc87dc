package gateway

import (
	"net/http"

	"larder/internal/awswire"
)

// ec2Protocol is ec2Query: a form asks, as in awsQuery; XML of its own form answers.
type ec2Protocol struct{ queryProtocol }

func (ec2Protocol) speaks(s *awswire.Shapes) bool { return s.Protocol == awswire.EC2Query }

// ec2Codes are the query protocol's codes for what goes wrong before a handler
// runs, as EC2 spells them. Source: the EC2 API reference's list of error codes.
var ec2Codes = map[string]fault{
	"AccessDenied":          {code: "UnauthorizedOperation", status: http.StatusForbidden},
	"InvalidClientTokenId":  {code: "AuthFailure", status: http.StatusUnauthorized},
	"InvalidQueryParameter": {code: "UnknownParameter", status: http.StatusBadRequest},
	"MalformedInput":        {code: "InvalidParameterValue", status: http.StatusBadRequest},
	"SignatureDoesNotMatch": {code: "AuthFailure", status: http.StatusUnauthorized},
}

func (ec2Protocol) adapt(f fault) fault {
	if own, ok := ec2Codes[f.code]; ok {
		f.code, f.status = own.code, own.status
	}
	return f
}

func (ec2Protocol) fault(_ http.Header, f fault, _, requestID string) []byte {
	return awswire.AppendEC2Error(nil, f.code, f.message, requestID)
}

func (p ec2Protocol) parse(r *http.Request, body []byte, presigned bool) (call, error) {
	c, err := parseQuery(r, body, presigned)
	return ec2Call{c}, err
}

type ec2Call struct{ queryCall }

func (c ec2Call) appendResponse(b []byte, codec *awswire.Codec, requestID string, output any) ([]byte, error) {
	return codec.AppendEC2Response(b, c.action, requestID, output)
}
