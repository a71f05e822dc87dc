// Command cloudwatch says to CloudWatch what a program of today says, through a later SDK than larder itself is built
// with: that one speaks rpcv2Cbor only. It ends with 1 and a reason when an answer is not as it should be.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// spoken is the protocol of each request, as it went out.
type spoken map[string]bool

func (s spoken) RoundTrip(r *http.Request) (*http.Response, error) {
	s[r.Header.Get("Smithy-Protocol")] = true
	return http.DefaultTransport.RoundTrip(r)
}

func main() {
	heard := spoken{}
	if err := converse(context.Background(), heard); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(heard)
}

func converse(ctx context.Context, heard spoken) error {
	client := cloudwatch.New(cloudwatch.Options{
		Region: os.Getenv("AWS_REGION"), BaseEndpoint: aws.String(os.Getenv("AWS_ENDPOINT_URL")), RetryMaxAttempts: 1,
		HTTPClient: &http.Client{Transport: heard},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY")}, nil
		}),
	})
	at := time.Now().UTC().Truncate(time.Hour)
	return errors.Join(metrics(ctx, client, at), alarms(ctx, client), refusals(ctx, client, at))
}

// metrics puts enough for the SDK to pack it, and reads one of them in both ways.
func metrics(ctx context.Context, client *cloudwatch.Client, at time.Time) error {
	put := &cloudwatch.PutMetricDataInput{Namespace: aws.String("Today")}
	for i := range 300 {
		put.MetricData = append(put.MetricData, types.MetricDatum{
			MetricName: aws.String(fmt.Sprintf("Load%d", i)), Timestamp: &at, Unit: types.StandardUnitCount,
			Values: []float64{1, 2.5}, Counts: []float64{4, 1},
		})
	}
	if _, err := client.PutMetricData(ctx, put); err != nil {
		return err
	}
	from, to := at.Add(-time.Hour), at.Add(time.Hour)
	read, err := client.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: put.Namespace, MetricName: aws.String("Load7"), StartTime: &from, EndTime: &to,
		Period:     aws.Int32(3600),
		Statistics: []types.Statistic{types.StatisticSum},
	})
	if err != nil {
		return err
	}
	if len(read.Datapoints) != 1 || *read.Datapoints[0].Sum != 6.5 || !read.Datapoints[0].Timestamp.Equal(at) ||
		read.Datapoints[0].Unit != types.StandardUnitCount {
		return fmt.Errorf("GetMetricStatistics gives %+v", read.Datapoints)
	}
	doubled, err := client.GetMetricData(ctx,
		&cloudwatch.GetMetricDataInput{StartTime: &from, EndTime: &to, MetricDataQueries: []types.MetricDataQuery{
			{Id: aws.String("double"), Expression: aws.String("m*2")},
			{Id: aws.String("m"), ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{
				Stat: aws.String("Sum"), Period: aws.Int32(3600),
				Metric: &types.Metric{Namespace: put.Namespace, MetricName: aws.String("Load7")},
			}},
		}})
	if err != nil {
		return err
	}
	if r := doubled.MetricDataResults; len(r) != 1 || len(r[0].Values) != 1 || r[0].Values[0] != 13 ||
		r[0].StatusCode != types.StatusCodeComplete {
		return fmt.Errorf("GetMetricData gives %+v", r)
	}
	return nil
}

func alarms(ctx context.Context, client *cloudwatch.Client) error {
	_, err := client.PutMetricAlarm(ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("today"), Namespace: aws.String("Today"), MetricName: aws.String("Load7"),
		Statistic: types.StatisticSum,
		Period:    aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(-0.5),
		ComparisonOperator: types.ComparisonOperatorLessThanThreshold,
	})
	if err != nil {
		return err
	}
	out, err := client.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"today"}})
	if err != nil {
		return err
	}
	if a := out.MetricAlarms; len(a) != 1 || *a[0].Threshold != -0.5 || !*a[0].ActionsEnabled ||
		time.Since(*a[0].AlarmConfigurationUpdatedTimestamp).Abs() > time.Hour {
		return fmt.Errorf("DescribeAlarms gives %+v", a)
	}
	return nil
}

// refusals are errors of the model, and one of awsQuery's codes that the SDK finds beside the model's name.
func refusals(ctx context.Context, client *cloudwatch.Client, at time.Time) error {
	_, err := client.GetDashboard(ctx, &cloudwatch.GetDashboardInput{DashboardName: aws.String("none")})
	var missing *types.ResourceNotFound
	var model *types.DashboardNotFoundError
	if !errors.As(err, &missing) && !errors.As(err, &model) {
		return fmt.Errorf("GetDashboard of an unknown one: %w", err)
	}
	_, err = client.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("Today"), MetricName: aws.String("Load7"), StartTime: &at, EndTime: &at,
		Period: aws.Int32(60), Statistics: []types.Statistic{types.StatisticSum},
	})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorFault() != smithy.FaultClient {
		return fmt.Errorf("GetMetricStatistics of no time: %w", err)
	}
	return nil
}
