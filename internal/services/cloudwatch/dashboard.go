package cloudwatch

import (
	"context"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"larder/internal/audit"
	"larder/internal/store"
)

// dashboards holds every dashboard, by name.
const dashboards = store.Table[dashboard]("dashboards")

// dashboard is what a page shows. Its body is kept as it was given.
type dashboard struct {
	Name, Body string
	Modified   time.Time
}

var validDashboard = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

func (s *Service) putDashboard(ctx context.Context, in *sdk.PutDashboardInput) (*sdk.PutDashboardOutput, error) {
	name, body := aws.ToString(in.DashboardName), aws.ToString(in.DashboardBody)
	if !validDashboard.MatchString(name) {
		return nil, invalidValue("The value %s for field DashboardName contains invalid characters. It can only "+
			"contain alphanumerics, dash (-) and underscore (_).\n", name)
	}
	if err := checkBody(body); err != nil {
		return nil, err
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		return dashboards.Put(tx, name, dashboard{name, body,
			s.Now()})
	})
	return &sdk.PutDashboardOutput{DashboardValidationMessages: []types.DashboardValidationMessage{}}, err
}

func noDashboard(name string) error {
	return absent{&types.DashboardNotFoundError{Message: new("Dashboard " + name + " does not exist")}}
}

func (s *Service) getDashboard(_ context.Context, in *sdk.GetDashboardInput) (*sdk.GetDashboardOutput, error) {
	name := aws.ToString(in.DashboardName)
	var found dashboard
	err := s.Store.View(func(tx *store.Tx) (err error) {
		found, err = dashboards.Get(tx, name)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, noDashboard(name)
	}
	if err != nil {
		return nil, err
	}
	return &sdk.GetDashboardOutput{DashboardName: &found.Name, DashboardBody: &found.Body,
		DashboardArn: new(s.dashboardARN(found.Name))}, nil
}

// maxDashboards is how many dashboards a page has.
const maxDashboards = 1000

func (s *Service) listDashboards(_ context.Context, in *sdk.ListDashboardsInput) (*sdk.ListDashboardsOutput, error) {
	from, err := base64.RawURLEncoding.DecodeString(aws.ToString(in.NextToken))
	if err != nil {
		return nil, invalidValue("The NextToken is not one of an earlier answer.")
	}
	prefix := aws.ToString(in.DashboardNamePrefix)
	out := &sdk.ListDashboardsOutput{DashboardEntries: []types.DashboardEntry{}}
	err = s.Store.View(func(tx *store.Tx) error {
		for d, err := range dashboards.Readable(tx, max(string(from), prefix)) {
			switch {
			case err != nil:
				return err
			case !strings.HasPrefix(d.Name, prefix):
				return nil
			case len(out.DashboardEntries) == maxDashboards:
				out.NextToken = new(base64.RawURLEncoding.EncodeToString([]byte(d.Name)))
				return nil
			}
			out.DashboardEntries = append(out.DashboardEntries, types.DashboardEntry{
				DashboardName: &d.Name, DashboardArn: new(s.dashboardARN(d.Name)), LastModified: &d.Modified,
				Size: new(int64(len(d.Body))),
			})
		}
		return nil
	})
	return out, err
}

// deleteDashboards deletes all of the dashboards that are named, or none.
func (s *Service) deleteDashboards(
	ctx context.Context, in *sdk.DeleteDashboardsInput,
) (*sdk.DeleteDashboardsOutput, error) {
	if len(in.DashboardNames) < 1 || len(in.DashboardNames) > maxNames {
		return nil, invalidValue("Between 1 and %d DashboardNames must be given; the request has %d", maxNames,
			len(in.DashboardNames))
	}
	err := audit.Update(ctx, s.Store, func(tx *store.Tx) error {
		for _, name := range in.DashboardNames {
			if _, err := dashboards.Get(tx, name); errors.Is(err, store.ErrNotFound) {
				return noDashboard(name)
			} else if err != nil && !store.IsUnreadable(err) {
				return err
			}
		}
		for _, name := range in.DashboardNames {
			if err := dashboards.Delete(tx, name); err != nil {
				return err
			}
		}
		return nil
	})
	return &sdk.DeleteDashboardsOutput{}, err
}
