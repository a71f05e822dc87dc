// Package catalog holds the facts of the service: node types, engine versions, and the families of parameters with the
// directives that redis-server is given for them.
package catalog
