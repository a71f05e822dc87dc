package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"

	"larder/internal/deploy"
	"larder/internal/module"
	"larder/internal/services/larder"
)

func (c *client) deployer(p deploy.Progress) *deploy.Deployer {
	return &deploy.Deployer{
		Cache: c.cache, Secrets: secretsmanager.NewFromConfig(c.config), Alarms: cloudwatch.NewFromConfig(c.config),
		Logs: cloudwatchlogs.NewFromConfig(c.config), Network: ec2.NewFromConfig(c.config), Keys: kms.NewFromConfig(c.config),
		Topics: sns.NewFromConfig(c.config), Progress: p, Reason: c.reason,
	}
}

// recorded is what the engine remembers of the call's deployment, or the beginning of a new record.
func (c *client) recorded(ctx context.Context, call *module.Call, path string) (larder.Deployment, error) {
	source, err := filepath.Abs(path)
	if err != nil {
		return larder.Deployment{}, err
	}
	var all larder.DescribeDeploymentsOutput
	if err := c.call(ctx, "DescribeDeployments", larder.DescribeDeploymentsInput{}, &all); err != nil {
		return larder.Deployment{}, err
	}
	for _, d := range all.Deployments {
		if d.ID == call.ReplicationGroupID() {
			d.Source = source
			return d, nil
		}
	}
	return larder.Deployment{ID: call.ReplicationGroupID(), Source: source}, nil
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
	d.Resources = nil
	for _, r := range all {
		d.Resources = append(d.Resources, larder.Resource(r))
	}
	return c.call(ctx, "PutDeployment", larder.PutDeploymentInput{Deployment: d}, &larder.PutDeploymentOutput{})
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
	var outputs struct {
		AuthToken struct{ Value *string } `json:"auth_token"`
	}
	if err := json.Unmarshal([]byte(d.Outputs), &outputs); err != nil {
		return before, fmt.Errorf("cannot read the outputs of %s: %w", d.ID, err)
	}
	if token := outputs.AuthToken.Value; token != nil {
		before.Token = module.Secret(*token)
	}
	return before, nil
}
