package module

import (
	"encoding/csv"
	"slices"
	"strings"

	"larder/modules/redis"
)

// engineVersion is a version a request may name, with the family of its parameter groups.
type engineVersion struct{ name, family string }

// engineVersions lists the versions of redis in the Terraform module's table, oldest first.
func engineVersions() []engineVersion {
	rows, err := csv.NewReader(strings.NewReader(redis.EngineVersions())).ReadAll()
	if err != nil {
		panic("module: engine_versions.csv: " + err.Error()) // it is built into the program
	}
	var all []engineVersion
	for _, row := range rows[1:] {
		if row[0] == "redis" {
			all = append(all, engineVersion{name: row[1], family: row[2]})
		}
	}
	return all
}

func familyOf(version string) string {
	for _, v := range engineVersions() {
		if v.name == version {
			return v.family
		}
	}
	return ""
}

// families lists each family once, oldest first.
func families() []string {
	var all []string
	for _, v := range engineVersions() {
		all = append(all, v.family)
	}
	return slices.Compact(all)
}
