package audit

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParameters(t *testing.T) {
	type member struct {
		Name, AuthToken *string
		Values          []string
		_               struct{} // as the SDK marks its structs
	}
	input := &struct {
		ARN, DBName, VPCId *string
		Members            []member
		Tags               map[string]string
		At                 *time.Time
		Count              *int32
		SecretBinary       []byte
		ResultMetadata     string
		Empty              *string
		member             member
	}{
		ARN: new("arn:x"), DBName: new("d"), VPCId: new("v"),
		Members: []member{{Name: new(strings.Repeat("é", 300)), AuthToken: new("secret")}},
		Tags:    map[string]string{"AuthToken": "secret", "a": "b"},
		At:      new(time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))), Count: new(int32(3)),
		SecretBinary: []byte("secret"),
	}
	raw, err := parameters(input)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"arn":"arn:x","dbName":"d","vpcId":"v",
		"members":[{"name":"`+strings.Repeat("é", 256)+`…","authToken":"HIDDEN_DUE_TO_SECURITY_REASONS"}],
		"tags":{"AuthToken":"HIDDEN_DUE_TO_SECURITY_REASONS","a":"b"},"at":"2026-01-02T02:04:05Z","count":3,
		"secretBinary":"HIDDEN_DUE_TO_SECURITY_REASONS"}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLargeParametersAreLeftOut(t *testing.T) {
	input := &struct{ Names []string }{strings.Split(strings.Repeat("name,", 2000), ",")}
	raw, err := parameters(input)
	want := `{"omitted":true,"originalSize":14014,"reason":"requestParameters too large"}`
	if err != nil || string(raw) != want {
		t.Errorf("got %s, %v; want %s", raw, err, want)
	}
}
