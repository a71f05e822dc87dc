package hclread

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/hcl/v2"
)

// MaxFileBytes is the size of the largest file that is read, in bytes.
const MaxFileBytes = 256 << 10

// pipeWait is for how long a pipe's writer may be silent in all.
const pipeWait = 10 * time.Second

// File is a file as read, before it is parsed.
type File struct {
	Name string // its path, which errors name
	Text []byte
}

// Sources are the files of a configuration.
type Sources struct {
	Configs []File // *.tf
	Values  []File // *.tfvars. A later one wins, as in Terraform
}

// ReadSources reads a .tf file, or a directory's .tf files, and the variable files that Terraform picks up beside them.
func ReadSources(path string) (Sources, hcl.Diagnostics) {
	info, err := os.Stat(path)
	if err != nil {
		return Sources{}, hcl.Diagnostics{ErrorAt(hcl.Range{}, "reading the module call: %v", err)}
	}
	dir, configs := path, []string{filepath.Base(path)}
	if !info.IsDir() {
		dir = filepath.Dir(path)
	}
	names, err := fileNames(dir)
	if err != nil {
		return Sources{}, hcl.Diagnostics{ErrorAt(hcl.Range{}, "reading the module call: %v", err)}
	}
	var diags hcl.Diagnostics
	if info.IsDir() {
		configs, diags = configNames(dir, names)
	}
	var s Sources
	s.Configs = readAll(dir, configs, &diags)
	s.Values = readAll(dir, valueNames(names), &diags)
	return s, diags
}

// fileNames lists a directory in lexical order without what Terraform overlooks: hidden files and editors' backups.
func fileNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		n := e.Name()
		backup := strings.HasSuffix(n, "~") || strings.HasPrefix(n, "#") && strings.HasSuffix(n, "#")
		if !e.IsDir() && !strings.HasPrefix(n, ".") && !backup {
			names = append(names, n)
		}
	}
	return names, nil
}

func configNames(dir string, names []string) (configs []string, diags hcl.Diagnostics) {
	refuse := func(name, why string) {
		subject := hcl.Range{Filename: filepath.Join(dir, name)}
		diags = append(diags, ErrorAt(subject, "%s, which larder up does not read: move its blocks to a .tf file", why))
	}
	for _, n := range names {
		switch {
		case strings.HasSuffix(n, ".tf.json"):
			refuse(n, "this is a file in Terraform's JSON syntax")
		case n == "override.tf" || strings.HasSuffix(n, "_override.tf"):
			refuse(n, "this is a Terraform override file")
		case strings.HasSuffix(n, ".tf"):
			configs = append(configs, n)
		}
	}
	if len(configs) == 0 && len(diags) == 0 {
		diags = append(diags, ErrorAt(hcl.Range{Filename: dir},
			"no .tf file in this directory: name the file or the directory with the module call"))
	}
	return configs, diags
}

// valueNames picks the variable files in Terraform's order of precedence, lowest first.
func valueNames(names []string) []string {
	var picked []string
	for _, n := range []string{"terraform.tfvars", "terraform.tfvars.json"} {
		if slices.Contains(names, n) {
			picked = append(picked, n)
		}
	}
	for _, n := range names {
		if strings.HasSuffix(n, ".auto.tfvars") || strings.HasSuffix(n, ".auto.tfvars.json") {
			picked = append(picked, n)
		}
	}
	return picked
}

func readAll(dir string, names []string, diags *hcl.Diagnostics) []File {
	var files []File
	for _, n := range names {
		f, err := ReadFile(filepath.Join(dir, n))
		if err != nil {
			*diags = append(*diags, ErrorAt(hcl.Range{Filename: filepath.Join(dir, n)}, "%v", err))
			continue
		}
		files = append(files, f)
	}
	return files
}

// ReadFile reads a file of a configuration. A pipe is read too, since a shell passes secrets so: -var-file <(command).
func ReadFile(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe would wait for a writer
	if err != nil {
		return File{}, fmt.Errorf("reading the file: %w", err)
	}
	defer f.Close() // read only: a failing close loses nothing
	info, err := f.Stat()
	if err != nil {
		return File{}, fmt.Errorf("reading the file: %w", err)
	}
	pipe := info.Mode()&os.ModeNamedPipe != 0
	switch {
	case pipe:
		err = f.SetReadDeadline(time.Now().Add(pipeWait))
	case !info.Mode().IsRegular():
		return File{}, fmt.Errorf("this is no regular file (its mode is %s): name one, or a pipe", info.Mode())
	}
	if err != nil {
		return File{}, fmt.Errorf("reading the file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	switch {
	case err != nil:
		return File{}, fmt.Errorf("reading the file: %w", err)
	case len(text) > MaxFileBytes:
		return File{}, fmt.Errorf("the file is larger than %d KiB, the most larder up reads: split it",
			MaxFileBytes>>10)
	case pipe && len(text) == 0:
		return File{}, errors.New("nobody writes to this pipe: name a regular file, or start the writer first")
	}
	return File{Name: path, Text: text}, nil
}
