package logs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"larder/internal/audit"
	"larder/internal/logstore"
	"larder/internal/store"
)

// streams holds every log stream, by its group's name and its own with a colon between them, which neither can have.
const streams = store.Table[stream]("log-streams")

// stream is a log stream.
type stream struct {
	Group, Name string
	ID          uint32 // among all that the group ever had, from 1
	Created     time.Time
}

func (st stream) key() string { return st.Group + ":" + st.Name }

func (s *Service) createLogStream(ctx context.Context, in *sdk.CreateLogStreamInput) (*sdk.CreateLogStreamOutput,
	error) {
	if err := errors.Join(checkName(in.LogGroupName), checkName(in.LogStreamName)); err != nil {
		return nil, err
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		_, err := findStream(tx, *in.LogGroupName, *in.LogStreamName)
		if err == nil {
			return &types.ResourceAlreadyExistsException{Message: new("The specified log stream already exists")}
		}
		if !isAbsent(err) {
			return err
		}
		_, err = s.addStream(tx, *in.LogGroupName, *in.LogStreamName)
		return err
	})
	return &sdk.CreateLogStreamOutput{}, err
}

// addStream makes a log stream that its group does not have.
func (s *Service) addStream(tx *store.Tx, group, name string) (stream, error) {
	of, err := find(tx, group)
	if err != nil {
		return stream{}, err
	}
	of.Streams++
	made := stream{Group: group, Name: name, ID: of.Streams, Created: s.Now()}
	return made, errors.Join(groups.Put(tx, group, of), streams.Put(tx, made.key(), made))
}

func isAbsent(err error) bool {
	var absent *types.ResourceNotFoundException
	return errors.As(err, &absent)
}

// findStream returns the log stream of that name.
func findStream(tx *store.Tx, group, name string) (stream, error) {
	found, err := streams.Get(tx, stream{Group: group, Name: name}.key())
	if errors.Is(err, store.ErrNotFound) {
		return stream{}, notFound("The specified log stream does not exist.")
	}
	return found, err
}

// streamsOf lists a group's log streams whose names begin with prefix, by name.
func streamsOf(tx *store.Tx, group, prefix string) ([]stream, error) {
	var out []stream
	for st, err := range streams.Readable(tx, group+":"+prefix) {
		if err != nil {
			return nil, err
		}
		if st.Group != group || !strings.HasPrefix(st.Name, prefix) {
			break
		}
		out = append(out, st)
	}
	return out, nil
}

// deleteLogStream forgets a log stream. Its events cannot be read any more, and go with the files that they are in.
func (s *Service) deleteLogStream(ctx context.Context, in *sdk.DeleteLogStreamInput) (*sdk.DeleteLogStreamOutput,
	error) {
	if err := errors.Join(checkName(in.LogGroupName), checkName(in.LogStreamName)); err != nil {
		return nil, err
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		if _, err := find(tx, *in.LogGroupName); err != nil {
			return err
		}
		if _, err := findStream(tx, *in.LogGroupName, *in.LogStreamName); err != nil && !store.IsUnreadable(err) {
			return err
		}
		return streams.Delete(tx, stream{Group: *in.LogGroupName, Name: *in.LogStreamName}.key())
	})
	return &sdk.DeleteLogStreamOutput{}, err
}

func (s *Service) describeLogStreams(
	_ context.Context, in *sdk.DescribeLogStreamsInput,
) (*sdk.DescribeLogStreamsOutput, error) {
	name, err := s.chosen(in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byTime := in.OrderBy == types.OrderByLastEventTime
	if byTime && in.LogStreamNamePrefix != nil {
		return nil, invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	found, stats, err := s.streamStats(name, aws.ToString(in.LogStreamNamePrefix))
	if err != nil {
		return nil, err
	}
	// A stream without events comes before those with some.
	order := func(st stream) string {
		if byTime {
			return fmt.Sprintf("%020d:%s", stats[st.ID].Last, st.Name)
		}
		return st.Name
	}
	slices.SortFunc(found, func(a, b stream) int { return cmp.Compare(order(a), order(b)) })
	if aws.ToBool(in.Descending) {
		slices.Reverse(found)
	}
	found, token, err := pageOf(found, order, aws.ToBool(in.Descending), in.Limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}, NextToken: token}
	for _, st := range found {
		out.LogStreams = append(out.LogStreams, s.describeStream(st, stats[st.ID]))
	}
	return out, nil
}

// streamStats lists log streams of a group with their figures.
func (s *Service) streamStats(name *string, prefix string) ([]stream, map[uint32]logstore.Stat, error) {
	if err := checkName(name); err != nil {
		return nil, nil, err
	}
	var of group
	var found []stream
	err := s.Store.View(func(tx *store.Tx) (err error) {
		if of, err = find(tx, *name); err != nil {
			return err
		}
		found, err = streamsOf(tx, *name, prefix)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	stats, err := s.Events.Stats(of.id())
	return found, stats, err
}

func (s *Service) describeStream(st stream, figures logstore.Stat) types.LogStream {
	out := types.LogStream{
		LogStreamName: &st.Name, Arn: new(s.arn(st.Group) + ":log-stream:" + st.Name), CreationTime: millis(st.Created),
		//lint:ignore SA1019 AWS still answers it
		StoredBytes: new(int64(0)), // of one stream, which AWS does not count since 2019
	}
	if figures.Events > 0 {
		out.UploadSequenceToken = new(sequenceToken)
		out.FirstEventTimestamp, out.LastEventTimestamp, out.LastIngestionTime = &figures.First, &figures.Last,
			&figures.Ingested
	}
	return out
}
