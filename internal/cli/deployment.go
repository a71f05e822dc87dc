package cli

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"larder/internal/awssdk/ec2"
	"larder/internal/deploy"
	"larder/internal/module"
	"larder/internal/services/larder"
)

func (c *client) deployer(p deploy.Progress) *deploy.Deployer {
	return &deploy.Deployer{
		Cache: c.cache, Secrets: secretsmanager.NewFromConfig(c.config), Alarms: cloudwatch.NewFromConfig(c.config),
		Logs: cloudwatchlogs.NewFromConfig(c.config), Network: ec2.NewFromConfig(c.config),
		Keys:   kms.NewFromConfig(c.config),
		Topics: sns.NewFromConfig(c.config), Progress: p, Reason: c.reason, Waiting: c.waiting,
	}
}

// recorded is what the engine remembers of the call's deployment, or the beginning of a new record; and what other
// deployments of the same configuration made.
func (c *client) recorded(
	ctx context.Context, call *module.Call, path string,
) (own larder.Deployment, shared []deploy.Resource, err error) {
	all, err := c.deployments(ctx)
	if err != nil {
		return own, nil, err
	}
	return recordOf(all, call, path)
}

// recordOf finds among the deployments of a region what recorded returns.
func recordOf(
	all []larder.Deployment, call *module.Call, path string,
) (own larder.Deployment, shared []deploy.Resource, err error) {
	source, err := filepath.Abs(path)
	if err != nil {
		return own, nil, err
	}
	own.ID = call.ReplicationGroupID()
	for _, d := range all {
		switch {
		case d.ID == own.ID:
			own = d
		case d.Source == source:
			shared = append(shared, made(d)...)
		default: // the topics that stand in are one for all configurations
			shared = append(shared, deploy.Topics(made(d))...)
		}
	}
	own.Source = source
	return own, shared, nil
}

func (c *client) deployments(ctx context.Context) ([]larder.Deployment, error) {
	clients, err := c.each(ctx)
	if err != nil {
		return nil, err
	}
	var all []larder.Deployment
	for _, regional := range clients {
		var here larder.DescribeDeploymentsOutput
		if err := regional.call(ctx, "DescribeDeployments", larder.DescribeDeploymentsInput{}, &here); err != nil {
			return nil, err
		}
		all = append(all, here.Deployments...)
	}
	return all, nil
}

// alone are a deployment's resources but for those that another deployment has too.
func (c *client) alone(ctx context.Context, d larder.Deployment) ([]deploy.Resource, error) {
	all, err := c.deployments(ctx)
	if err != nil {
		return nil, err
	}
	own := made(d)
	for _, other := range all {
		if other.ID != d.ID {
			own = deploy.Without(own, made(other))
		}
	}
	return own, nil
}

// record remembers a deployment with those resources; without any there is nothing to remember.
func (c *client) record(ctx context.Context, d larder.Deployment, all []deploy.Resource) error {
	if len(all) == 0 {
		err := c.call(ctx, "DeleteDeployment", larder.DeleteDeploymentInput{ID: d.ID}, &larder.DeleteDeploymentOutput{})
		var refused smithy.APIError
		if errors.As(err, &refused) && refused.ErrorCode() == "ResourceNotFoundException" {
			return nil
		}
		return err
	}
	d.Resources = recordedResources(all)
	return c.call(ctx, "PutDeployment", larder.PutDeploymentInput{Deployment: d}, &larder.PutDeploymentOutput{})
}

// recordedResources are resources as the engine remembers them.
func recordedResources(all []deploy.Resource) (recorded []larder.Resource) {
	for _, r := range all {
		recorded = append(recorded, larder.Resource(r))
	}
	return recorded
}

// made lists a deployment's resources.
func made(d larder.Deployment) []deploy.Resource {
	var all []deploy.Resource
	for _, r := range d.Resources {
		all = append(all, deploy.Resource(r))
	}
	return all
}

// earlier is what an apply has to know of the one before.
func earlier(d larder.Deployment) (deploy.Before, error) {
	before := deploy.Before{Resources: made(d), TokenStrategy: d.AuthTokenUpdateStrategy}
	if d.Outputs == "" {
		return before, nil
	}
	token, err := tokenOf(d)
	if err != nil {
		return before, err
	}
	before.Token = module.Secret(token)
	return before, nil
}
