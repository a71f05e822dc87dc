package awswire

import (
	"fmt"
	"reflect"
)

// AppendEC2Response appends an ec2Query response to b: out, a pointer to an SDK
// output, without the result element that awsQuery has.
func (c *Codec) AppendEC2Response(b []byte, action, requestID string, out any) ([]byte, error) {
	b = fmt.Appendf(b, `<%sResponse xmlns="%s"><requestId>`, action, c.namespace)
	b = append(appendXMLText(b, requestID), `</requestId>`...)
	v := reflect.ValueOf(out).Elem()
	if len(c.responses.plan(v.Type()).members) == 0 {
		// The model does not say it, but EC2 answers an operation without output members so.
		b = append(b, `<return>true</return>`...)
	}
	b, err := c.appendXMLMembers(b, v)
	if err != nil {
		return nil, fmt.Errorf("encode the response of %s: %w", action, err)
	}
	return closeTag(b, action+"Response"), nil
}

// AppendEC2Error appends ec2Query's error document to b. It does not say whose
// fault the error is.
func AppendEC2Error(b []byte, code, message, requestID string) []byte {
	b = appendXMLText(append(b, `<Response><Errors><Error><Code>`...), code)
	b = appendXMLText(append(b, `</Code><Message>`...), message)
	b = appendXMLText(append(b, `</Message></Error></Errors><RequestID>`...), requestID)
	return append(b, `</RequestID></Response>`...)
}
