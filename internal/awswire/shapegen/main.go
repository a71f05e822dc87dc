// Command shapegen reads the AWS SDK's generated (de)serializers and writes the
// facts about each service's wire shapes as Go tables beside package awswire.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// service is one table to generate.
type service struct {
	module    string // the SDK module's last path element
	function  string // the Go function that returns the table
	namespace string // awsQuery only: the SDK does not say it, the service's WSDL and API reference do
}

var services = []service{
	{module: "elasticache", function: "ElastiCache", namespace: "http://elasticache.amazonaws.com/doc/2015-02-02/"},
	{module: "secretsmanager", function: "SecretsManager"},
	{module: "sts", function: "STS", namespace: "https://sts.amazonaws.com/doc/2011-06-15/"},
}

// file is the generated file's name.
func (s service) file() string { return s.module + "_gen.go" }

func main() {
	// go generate runs a command in the directory of the file that names it.
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "shapegen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	for _, s := range services {
		src, err := generate(s)
		if err != nil {
			return fmt.Errorf("%s: %v", s.module, err)
		}
		if err := os.WriteFile(filepath.Join(dir, s.file()), src, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the Go source of a service's table.
func generate(s service) ([]byte, error) {
	m, err := openModule(s.module)
	if err != nil {
		return nil, err
	}
	shapes, err := m.shapes()
	if err != nil {
		return nil, err
	}
	shapes.Namespace = s.namespace
	return emit(s.function, m.path, shapes)
}
