// Package testkit holds what tests of several packages need: larder built and its surroundings, SDK clients of an
// engine, free addresses, conditions waited for, and Terraform with its provider.
package testkit
