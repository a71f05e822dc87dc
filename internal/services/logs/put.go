package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	"larder/internal/logstore"
	"larder/internal/store"
)

// Bounds of a batch of events. Source: PutLogEvents in the API reference.
const (
	maxBatchBytes  = 1 << 20
	eventOverhead  = 26 // bytes that each event counts beside its message
	maxBatchEvents = 10_000
	maxBatchSpan   = 24 * time.Hour
	oldestEvent    = 14 * 24 * time.Hour
	newestEvent    = 2 * time.Hour
)

// sequenceToken is one for all streams: AWS has ignored them since 2023, and older clients want one to send back.
const sequenceToken = "49590302122016510862421330262423062310151062422130244802"

func (s *Service) putLogEvents(_ context.Context, in *sdk.PutLogEventsInput) (*sdk.PutLogEventsOutput, error) {
	if err := errors.Join(checkName(in.LogGroupName), checkName(in.LogStreamName)); err != nil {
		return nil, err
	}
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	var of group
	var to stream
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if of, err = find(tx, *in.LogGroupName); err != nil {
			return err
		}
		to, err = findStream(tx, of.Name, *in.LogStreamName)
		return err
	})
	if err != nil {
		return nil, err
	}
	now := s.Now()
	from, until, rejected := of.acceptable(in.LogEvents, now)
	batch := logstore.Batch{}
	for _, e := range in.LogEvents[from:until] {
		batch.Events = append(batch.Events,
			logstore.Event{Stream: to.ID, Time: *e.Timestamp, Ingested: now.UnixMilli(), Message: *e.Message})
	}
	if err := s.append(of, batch); err != nil {
		return nil, err
	}
	return &sdk.PutLogEventsOutput{NextSequenceToken: new(sequenceToken), RejectedLogEventsInfo: rejected}, nil
}

func checkBatch(events []types.InputLogEvent) error {
	size := 0
	for i, e := range events {
		if i > 0 && *e.Timestamp < *events[i-1].Timestamp {
			return invalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
		}
		size += len(*e.Message) + eventOverhead
	}
	if size > maxBatchBytes {
		return invalidParameter("Upload too large: %d bytes exceeds limit of %d", size, maxBatchBytes)
	}
	if *events[len(events)-1].Timestamp-*events[0].Timestamp > maxBatchSpan.Milliseconds() {
		return invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// acceptable says which of the events, which are in order, are neither too old nor too new, and tells of the others.
func (g group) acceptable(
	events []types.InputLogEvent, now time.Time,
) (from, until int, rejected *types.RejectedLogEventsInfo) {
	tooOld, expired, tooNew := 0, 0, len(events)
	for i, e := range events {
		at := time.UnixMilli(*e.Timestamp)
		switch age := now.Sub(at); {
		case age > oldestEvent:
			tooOld = i + 1
		case g.Retention > 0 && age > g.retention():
			expired = i + 1
		case age < -newestEvent:
			tooNew = min(tooNew, i)
		}
	}
	from = max(tooOld, expired)
	if from == 0 && tooNew == len(events) {
		return from, tooNew, nil
	}
	rejected = &types.RejectedLogEventsInfo{}
	if tooOld > 0 {
		rejected.TooOldLogEventEndIndex = new(int32(tooOld))
	}
	if expired > 0 {
		rejected.ExpiredLogEventEndIndex = new(int32(expired))
	}
	if tooNew < len(events) {
		rejected.TooNewLogEventStartIndex = new(int32(tooNew))
	}
	return from, tooNew, rejected
}

// retention is how long the group keeps events; 0 is for ever.
func (g group) retention() time.Duration { return time.Duration(g.Retention) * 24 * time.Hour }

// append makes batches durable, counts them for the group's metric filters and tells those who watch. A failure after
// the first of these is no failure of the request: a client that tried again would have the events kept twice.
func (s *Service) append(of group, batches ...logstore.Batch) error {
	if err := s.keyUsable(of, "GenerateDataKey", "Decrypt"); err != nil {
		return err
	}
	var kept []logstore.Event
	for _, b := range batches {
		kept = append(kept, b.Events...)
	}
	if err := s.Events.Append(of.id(), of.KMSKey, batches...); err != nil {
		return eventsError(err)
	}
	if err := errors.Join(s.count(of.Name, kept), s.tell(of.Name, kept)); err != nil {
		s.Failed(fmt.Errorf("cannot pass on events of the log group %s, which are kept: %w", of.Name, err))
	}
	return nil
}

// eventsError gives a failure of the store the API's form.
func eventsError(err error) error {
	if locked := (*logstore.KeyError)(nil); errors.As(err, &locked) {
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Fault: smithy.FaultClient,
			Message: "The KMS key of the log group is disabled, is being deleted, or does not exist"}
	}
	if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
		return notFound("The specified log group does not exist.")
	}
	return err
}

// Event is something to log.
type Event struct {
	Time    time.Time
	Message string
}

// Delivery is events of one source, for one log stream.
type Delivery struct {
	Stream string
	Events []Event
	// Source and Mark have the events kept once: a source's marks rise, and a delivery whose mark is not beyond the
	// source's last is known already. A mark of 0 forgets the source.
	Source string
	Mark   uint64
}

// Deliver keeps events that larder itself logs, in streams that it makes where there are none. When it returns the
// events are durable together with the marks. It fails when there is no such group.
func (s *Service) Deliver(groupName string, deliveries ...Delivery) error {
	var of group
	ids := map[string]uint32{}
	err := s.Store.View(func(tx *store.Tx) (err error) {
		of, err = s.lookUp(tx, groupName, deliveries, ids)
		return err
	})
	if isAbsent(err) && of.Name != "" { // the group is there, a stream is not
		err = s.Store.Update(func(tx *store.Tx) error { return s.makeStreams(tx, groupName, deliveries, ids) })
	}
	if err != nil {
		return err
	}
	ingested := s.Now().UnixMilli()
	var batches []logstore.Batch
	for _, d := range deliveries {
		known, err := s.Events.Mark(of.id(), of.KMSKey, d.Source)
		if err != nil {
			return eventsError(err)
		}
		if d.Source != "" && d.Mark != 0 && d.Mark <= known {
			continue
		}
		b := logstore.Batch{Source: d.Source, Mark: d.Mark}
		for _, e := range d.Events {
			b.Events = append(b.Events, logstore.Event{Stream: ids[d.Stream], Time: e.Time.UnixMilli(),
				Ingested: ingested, Message: e.Message})
		}
		batches = append(batches, b)
	}
	return s.append(of, batches...)
}

// lookUp finds the group, and the numbers of the deliveries' streams.
func (s *Service) lookUp(tx *store.Tx, name string, deliveries []Delivery, ids map[string]uint32) (group, error) {
	of, err := find(tx, name)
	if err != nil {
		return group{}, err
	}
	for _, d := range deliveries {
		st, err := findStream(tx, name, d.Stream)
		if err != nil {
			return of, err
		}
		ids[d.Stream] = st.ID
	}
	return of, nil
}

func (s *Service) makeStreams(tx *store.Tx, group string, deliveries []Delivery, ids map[string]uint32) error {
	for _, d := range deliveries {
		st, err := findStream(tx, group, d.Stream)
		if isAbsent(err) {
			st, err = s.addStream(tx, group, d.Stream)
		}
		if err != nil {
			return err
		}
		ids[d.Stream] = st.ID
	}
	return nil
}

// Delivered is the last mark of a source in a group, 0 when there is none.
func (s *Service) Delivered(groupName, source string) (uint64, error) {
	var of group
	err := s.Store.View(func(tx *store.Tx) (err error) {
		of, err = find(tx, groupName)
		return err
	})
	if err != nil {
		return 0, err
	}
	return s.Events.Mark(of.id(), of.KMSKey, source)
}
