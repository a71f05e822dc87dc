package main

import (
	"strings"

	"larder/internal/awswire"
)

// dropDefaults keeps only what awswire does not assume by itself.
func dropDefaults(s *awswire.Shapes) {
	s.LowerCamel = mostlyLowerCamel(s.Fields)
	for name, f := range s.Fields {
		_, goName, _ := strings.Cut(name, ".")
		if f.Key == s.DefaultKey(goName) {
			f.Key = ""
		}
		isMap := f.MapKey != ""
		if (isMap && f.Item == "entry") || (!isMap && f.Item == "member") {
			f.Item = ""
		}
		if f.MapKey == "key" {
			f.MapKey = ""
		}
		if f.MapValue == "value" {
			f.MapValue = ""
		}
		s.Fields[name] = f
		if f == (awswire.Field{}) {
			delete(s.Fields, name)
		}
	}
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
