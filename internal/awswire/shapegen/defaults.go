package main

import (
	"fmt"
	"strings"

	"larder/internal/awswire"
)

// dropDefaults keeps only what awswire does not assume by itself.
func dropDefaults(s *awswire.Shapes) error {
	s.LowerCamel = mostlyLowerCamel(s.Fields)
	for _, spelling := range []awswire.Spelling{s.Requests(), s.Responses()} {
		for name, f := range spelling.Fields {
			if spelling.Flat && f.Item != "" && !f.Flat {
				return fmt.Errorf("%s is not flat, which awswire takes every list of %s to be", name, s.Protocol)
			}
			if f = withoutDefaults(spelling, name, f); f == (awswire.Field{}) {
				delete(spelling.Fields, name)
			} else {
				spelling.Fields[name] = f
			}
		}
	}
	return nil
}

func withoutDefaults(s awswire.Spelling, name string, f awswire.Field) awswire.Field {
	_, goName, _ := strings.Cut(name, ".")
	if f.Key == s.DefaultKey(goName) {
		f.Key = ""
	}
	isMap := f.MapKey != ""
	if (isMap && f.Item == "entry") || (!isMap && f.Item == s.Item) {
		f.Item = ""
	}
	if f.MapKey == "key" {
		f.MapKey = ""
	}
	if f.MapValue == "value" {
		f.MapValue = ""
	}
	if s.Flat {
		f.Flat, f.Item = false, ""
	}
	return f
}

// mostlyLowerCamel tells services that write logGroupName from those that write LogGroupName.
func mostlyLowerCamel(fields map[string]awswire.Field) bool {
	lower := 0
	for _, f := range fields {
		if f.Key[0] >= 'a' && f.Key[0] <= 'z' {
			lower++
		}
	}
	return lower > len(fields)/2
}
