// Package module is the ElastiCache Redis module in Go: it reads the module call a Terraform user writes, and says what
// it asks for.
//
// [Load] reads the .tf and .tfvars files, fills in the defaults and checks every rule, all at once. A [Call] that
// passed gives the AWS calls it becomes ([Call.Resources]), what differs from what runs ([Diff]) and the module's
// outputs ([Call.Outputs]). Nothing here talks to a network; only Load touches files, and only those it is told to.
package module
