package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// What reading a day of minutes may take, and how much of it there is.
const (
	oneDayWanted     = 2.0  // ms
	hundredDayWanted = 50.0 // ms
	graphed          = 100  // series
	minutesOfDay     = 24 * 60
	metricsNamespace = "Bench"
)

// metrics measures what an engine does with samples, alarms and log events.
func (b *bench) metrics(ctx context.Context) (_ []section, err error) {
	d := b.newHarness("metrics", anywhere)
	defer func() { err = errors.Join(err, d.close(ctx)) }()
	if _, _, err := d.up(ctx, b.production); err != nil {
		return nil, err
	}
	reads, err := b.metricReads(ctx, d)
	if err != nil {
		return nil, err
	}
	logs, err := b.logs(ctx, d)
	if err != nil {
		return nil, err
	}
	kept, err := b.keeping(ctx)
	return []section{reads, kept, logs}, err
}

// config is an SDK client's configuration for the engine. What answers is kept, if a recorder is given.
func (d *harness) config(r *recorder) (aws.Config, error) {
	engine, err := d.engine()
	if err != nil {
		return aws.Config{}, err
	}
	c := aws.Config{
		Region: engine.Region, BaseEndpoint: &engine.Endpoint, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(engine.AccessKeyID, engine.SecretAccessKey, ""),
	}
	if r != nil {
		c.HTTPClient = r
	}
	return c, nil
}

// recorder keeps the last request, as it goes over the wire, and its answer.
type recorder struct {
	request request
	last    canned
}

// Do implements aws.HTTPClient.
func (r *recorder) Do(asked *http.Request) (*http.Response, error) {
	question, err := io.ReadAll(asked.Body)
	if err != nil {
		return nil, err
	}
	var wire bytes.Buffer
	asked.Body = io.NopCloser(bytes.NewReader(question))
	if err := asked.Write(&wire); err != nil {
		return nil, err
	}
	address, err := netip.ParseAddrPort(asked.URL.Host)
	if err != nil {
		return nil, err
	}
	r.request = request{address, wire.Bytes()}
	asked.Body = io.NopCloser(bytes.NewReader(question))
	response, err := http.DefaultClient.Do(asked)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	err = errors.Join(err, response.Body.Close())
	r.last = canned{response.Header, body}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, err
}

// question is one that is asked again and again, of the engine and of a peer that answers the same bytes.
type question struct {
	name   string
	wanted float64 // ms
	ask    func(context.Context, *cloudwatch.Client) (points int, err error)
	points int
	// Milliseconds: a request that was signed once, with the answer read but not parsed; and the SDK's whole call.
	larder, bare       sample
	larderSDK, bareSDK sample
}

// metricReads reads a day of a hundred series that were put a minute apart.
func (b *bench) metricReads(ctx context.Context, d *harness) (section, error) {
	r := &recorder{}
	config, err := d.config(r)
	if err != nil {
		return section{}, err
	}
	end := time.Now().Truncate(time.Minute)
	if err := b.putDay(ctx, cloudwatch.NewFromConfig(config), end); err != nil {
		return section{}, err
	}
	questions := []*question{
		{name: "GetMetricStatistics, a day at 60 s", wanted: oneDayWanted,
			ask: func(ctx context.Context, c *cloudwatch.Client) (int, error) {
				out, err := c.GetMetricStatistics(ctx, statisticsOfDay(end))
				if err != nil {
					return 0, err
				}
				return len(out.Datapoints), nil
			}},
		{name: fmt.Sprintf("GetMetricData, %d series over a day at 300 s", graphed), wanted: hundredDayWanted,
			ask: func(ctx context.Context, c *cloudwatch.Client) (points int, err error) {
				out, err := c.GetMetricData(ctx, dataOfDay(end))
				if err != nil {
					return 0, err
				}
				for _, r := range out.MetricDataResults {
					points += len(r.Values)
				}
				return points, nil
			}},
	}
	for _, q := range questions {
		b.say("metrics: %s", q.name)
		if err := b.askBoth(ctx, q, config, r); err != nil {
			return section{}, fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return readsSection(questions), nil
}

// askBoth asks the engine and, in turn with it, a peer.
func (b *bench) askBoth(ctx context.Context, q *question, config aws.Config, r *recorder) (err error) {
	client := cloudwatch.NewFromConfig(config)
	if q.points, err = q.ask(ctx, client); err != nil {
		return err
	}
	p, err := startPeer(anywhere, r.last)
	if p != nil {
		defer func() { err = errors.Join(err, p.close()) }()
	}
	if err != nil {
		return err
	}
	beside := config
	beside.BaseEndpoint = aws.String("http://" + p.address.String())
	bare := cloudwatch.NewFromConfig(beside)
	asked := r.request
	for range b.rounds {
		for _, side := range []struct {
			client     *cloudwatch.Client
			request    request
			times, sdk *sample
		}{{client, asked, &q.larder, &q.larderSDK}, {bare, request{p.address, asked.wire}, &q.bare, &q.bareSDK}} {
			plain, err := side.request.repeat(ctx, 1, b.span)
			if err != nil {
				return err
			}
			*side.times = append(*side.times, plain.median()*1e3)
			took, err := repeatedly(b.span, func() error {
				points, err := q.ask(ctx, side.client)
				if err == nil && points != q.points {
					err = fmt.Errorf("got %d points, want %d", points, q.points)
				}
				return err
			})
			if err != nil {
				return err
			}
			*side.sdk = append(*side.sdk, took)
		}
	}
	return nil
}

// repeatedly does something for a while, and returns the median of the milliseconds that it took.
func repeatedly(span time.Duration, do func() error) (float64, error) {
	var times sample
	for deadline := time.Now().Add(span); len(times) == 0 || time.Now().Before(deadline); {
		begin := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(begin).Seconds()*1e3)
	}
	return times.median(), nil
}

// putDay puts what a hundred metrics of a node look like over a day.
func (b *bench) putDay(ctx context.Context, c *cloudwatch.Client, end time.Time) error {
	b.say("metrics: putting %d samples", graphed*minutesOfDay)
	const perRequest = 1000
	var data []types.MetricDatum
	for minute := range minutesOfDay {
		at := end.Add(time.Duration(minute-minutesOfDay) * time.Minute)
		for i := range graphed {
			value := math.Round(1000 + 600*math.Sin(float64(minute)/230) + float64((minute*7919+i*104729)%97))
			data = append(data, types.MetricDatum{MetricName: aws.String(graphName(i)), Timestamp: &at, Value: &value,
				Unit: types.StandardUnitCount})
		}
		if len(data) < perRequest && minute < minutesOfDay-1 {
			continue
		}
		if _, err := c.PutMetricData(ctx,
			&cloudwatch.PutMetricDataInput{Namespace: aws.String(metricsNamespace), MetricData: data}); err != nil {
			return err
		}
		data = data[:0]
	}
	return nil
}

func graphName(i int) string { return fmt.Sprintf("Metric%d", i) }

func statisticsOfDay(end time.Time) *cloudwatch.GetMetricStatisticsInput {
	return &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String(metricsNamespace), MetricName: aws.String(graphName(0)),
		StartTime: aws.Time(end.Add(-24 * time.Hour)), EndTime: &end,
		Period: aws.Int32(60), Statistics: []types.Statistic{types.StatisticAverage},
	}
}

// dataOfDay asks for five minutes a point: what a graph of a day shows.
func dataOfDay(end time.Time) *cloudwatch.GetMetricDataInput {
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(end.Add(-24 * time.Hour)), EndTime: &end}
	for i := range graphed {
		in.MetricDataQueries = append(in.MetricDataQueries,
			types.MetricDataQuery{Id: aws.String(fmt.Sprintf("m%d", i)), MetricStat: &types.MetricStat{
				Metric: &types.Metric{Namespace: aws.String(metricsNamespace), MetricName: aws.String(graphName(i))},
				Period: aws.Int32(300), Stat: aws.String("Average"),
			}})
	}
	return in
}

func readsSection(questions []*question) section {
	s := section{
		title: "Reading metrics",
		how: fmt.Sprintf("One request at a time, signed once and checked each time, to an engine that keeps %d metrics of "+
			"a day, put a minute apart. Beside it a net/http handler that answers the same\n"+
			"bytes and does nothing else. Then the same by the Go SDK, from the call to the parsed answer: most of that is "+
			"its reading of XML.", graphed),
		table: table{{"", "points", "larder, ms", "net/http alone, ms", "÷", "larder by the SDK, ms",
			"net/http by the SDK, ms"}},
	}
	for _, q := range questions {
		s.goals = append(s.goals, goal(q.larder.median() < q.wanted, "%s in less than %.0f ms", q.name, q.wanted))
		s.table.add(q.name, whole(float64(q.points)), q.larder.show(decimals(2)), q.bare.show(decimals(2)),
			decimals(1)(ratio(q.larder, q.bare)),
			q.larderSDK.show(decimals(2)), q.bareSDK.show(decimals(2)))
	}
	return s
}
