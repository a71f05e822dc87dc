// Package hclread reads Terraform's language in general: the files of a configuration, their parsing within bounds of
// size and work, and the functions that expressions call. What a configuration means is the matter of package module.
package hclread
