// Package testkit holds helpers for the tests of several packages. It builds larder, prepares its environment, creates
// SDK clients, finds free addresses, waits for conditions, and runs Terraform with its provider.
package testkit
