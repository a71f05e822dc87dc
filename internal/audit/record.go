// Package audit keeps a row of every action that changes something: who asked for what, when and from where. The row is
// written in the action's own transaction, so that both are kept or neither is. Its names are those of CloudTrail's
// events.
package audit

import (
	"encoding/json"
	"fmt"
	"time"

	"larder/internal/caller"
	"larder/internal/store"
)

// records holds the rows of a region in the order in which they were written, those of each category for themselves.
const records = store.Table[Record]("audit")

// Tables are those of this package.
func Tables() []store.Checker { return []store.Checker{records} }

// Record is one action that was done. An action that was refused has no row: its transaction is undone with all that
// is in it.
type Record struct {
	EventVersion       string          `json:"eventVersion"`
	UserIdentity       Identity        `json:"userIdentity"`
	EventTime          time.Time       `json:"eventTime"` // when the request came
	EventSource        string          `json:"eventSource"`
	EventName          string          `json:"eventName"`
	AWSRegion          string          `json:"awsRegion"`
	SourceIPAddress    string          `json:"sourceIPAddress"` // or caller.Socket
	UserAgent          string          `json:"userAgent,omitempty"`
	RequestParameters  json.RawMessage `json:"requestParameters"` // see parameters
	RequestID          string          `json:"requestID"`
	EventID            string          `json:"eventID"`
	ReadOnly           bool            `json:"readOnly"`
	Resources          []Resource      `json:"resources,omitempty"`
	EventType          string          `json:"eventType"`
	ManagementEvent    bool            `json:"managementEvent"`
	RecipientAccountID string          `json:"recipientAccountId"`
	EventCategory      Category        `json:"eventCategory"`

	// Number is the row's among those of its category.
	Number uint64 `json:"number"`
}

// Identity is who asked.
type Identity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId,omitempty"`
	ARN         string `json:"arn,omitempty"`
	AccountID   string `json:"accountId,omitempty"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	UserName    string `json:"userName,omitempty"`
}

// Resource is what an action's input names by ARN.
type Resource struct {
	ARN       string `json:"ARN"`
	AccountID string `json:"accountId,omitempty"`
}

// Category is what CloudTrail tells apart: changes of resources, and what goes through them.
type Category string

// The categories. Each has a bound of its own, so that messages drive no change out of the table.
const (
	Management Category = "Management"
	Data       Category = "Data"
)

// RowKey is the row's key in its table.
func (r Record) RowKey() string { return key(r.EventCategory, r.Number) }

func key(c Category, number uint64) string { return fmt.Sprintf("%s/%016x", c, number) }

// Event is an action that is asked for.
type Event struct {
	Caller             caller.Caller
	Service            string // as requests are signed for it: elasticache
	Action             string
	Input              any // the SDK's input structure
	Time               time.Time
	RequestID, EventID string
}

// record makes an event's row.
func (e Event) record() (Record, error) {
	asked, err := parameters(e.Input)
	if err != nil {
		return Record{}, fmt.Errorf("cannot record %s: %w", e.Action, err)
	}
	r := Record{
		EventVersion: "1.11", UserIdentity: identity(e.Caller), EventTime: e.Time.UTC(),
		EventSource: e.Service + ".amazonaws.com", EventName: e.Action, AWSRegion: e.Caller.Region,
		SourceIPAddress: e.Caller.Address, UserAgent: e.Caller.UserAgent, RequestParameters: asked,
		RequestID: e.RequestID, EventID: e.EventID, EventType: "AwsApiCall", RecipientAccountID: e.Caller.Account,
		EventCategory: Management, Resources: resources(e.Input),
	}
	if _, is := dataEvents[e.Service+":"+e.Action]; is {
		r.EventCategory = Data
	}
	r.ManagementEvent = r.EventCategory == Management
	return r, nil
}

func identity(c caller.Caller) Identity {
	if c.Internal() {
		return Identity{Type: "AWSService", PrincipalID: c.Service, AccountID: c.Account}
	}
	return Identity{Type: "IAMUser", PrincipalID: c.UserID(), ARN: c.ARN, AccountID: c.Account,
		AccessKeyID: c.AccessKeyID, UserName: c.UserName()}
}
