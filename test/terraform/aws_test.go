package terraform

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// serveAWS answers what the provider asks while it plans: who it is, which zones there are, and in which zone a subnet
// is, which is the last letter of the subnet's ID. Anything else fails the test.
func serveAWS(t *testing.T) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		switch action := r.Form.Get("Action"); action {
		case "GetCallerIdentity":
			fmt.Fprint(w,
				`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
					`<Arn>arn:aws:iam::000000000000:root</Arn><UserId>000000000000</UserId><Account>000000000000</Account>`+
					`</GetCallerIdentityResult></GetCallerIdentityResponse>`)
		case "DescribeAvailabilityZones":
			fmt.Fprint(w,
				`<DescribeAvailabilityZonesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><availabilityZoneInfo>`)
			for _, zone := range []string{"us-east-1d", "us-east-1b", "us-east-1a", "us-east-1c"} {
				fmt.Fprintf(w, `<item><zoneName>%s</zoneName><zoneState>available</zoneState></item>`, zone)
			}
			fmt.Fprint(w, `</availabilityZoneInfo></DescribeAvailabilityZonesResponse>`)
		case "DescribeSubnets":
			id := r.Form.Get("SubnetId.1")
			fmt.Fprintf(w,
				`<DescribeSubnetsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><subnetSet><item><subnetId>%s</subnetId>`+
					`<vpcId>vpc-0000000a</vpcId><availabilityZone>us-east-1%s</availabilityZone></item></subnetSet></DescribeSubnetsResponse>`, id, id[len(id)-1:])
		default:
			t.Errorf("the provider asks for %q", action)
			http.Error(w, "", http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}
