package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// withoutJSON are the commands that have no --json, and why. docs/OPERATIONS.md has the same table.
var withoutJSON = map[string]string{
	"larder":            "prints its help",
	"larder connect":    "hands the terminal to redis-cli, which has --json of its own",
	"larder completion": "prints a script for a shell",
	"larder help":       "prints help, for people",
	"larder relay":      "is started by the engine only",
}

// jsonValues are what commands print with --json: an object, an array, or any number of objects, each of one of the
// types. docs/OPERATIONS.md says which.
var jsonValues = map[string][]any{
	"larder up":             {upReport{}},
	"larder plan":           {planReport{}},
	"larder status":         {report{}},
	"larder status --watch": {entry{}},
	"larder top":            {load{}, topError{}},
	"larder logs":           {logLine{}},
	"larder operations":     {operationsReport{}},
	"larder failover":       {failoverReport{}},
	"larder outputs":        {outputs{}},
	"larder mail":           {mail{}},
	"larder mail --confirm": {[]confirmed{}},
	"larder env":            {map[string]string{}},
	"larder destroy":        {destroyReport{}},
	"larder down":           {downReport{}},
	"larder engines":        {[]foundServer{}},
	"larder doctor":         {diagnosis{}},
	"larder forget":         {forgetReport{}},
	"larder version":        {versionReport{}},
	"larder serve":          {logRecord{}},
	"an error":              {errorReport{}},
}

// logRecord is what an engine logs: a record has more, by what it is about.
type logRecord struct {
	Time    time.Time      `json:"time"`
	Level   string         `json:"level"`
	Message string         `json:"msg"`
	More    map[string]any `json:"*"`
}

// Every command has --json, or a reason why not; what it prints is in the golden file, field by field.
func TestTheSchemaOfJSON(t *testing.T) {
	docs := string(checked(os.ReadFile("../../docs/OPERATIONS.md"))(t))
	for _, c := range append(everyCommand(newRoot(newHarness(t).Environment)), newRoot(newHarness(t).Environment)) {
		why, without := withoutJSON[c.CommandPath()]
		_, with := jsonValues[c.CommandPath()]
		if has := c.Flags().Lookup("json") != nil; has != with || has == without {
			t.Errorf("%s: --json is there: %t; it is in the table of JSON: %t, of what has none: %t", c.CommandPath(), has,
				with, without)
		}
		row := "| `" + c.CommandPath() + "` | " + why
		if without && !c.Hidden && !strings.Contains(docs, row) {
			t.Errorf("docs/OPERATIONS.md does not say %q", row)
		}
	}
	var b strings.Builder
	for _, name := range sortedKeysOf(jsonValues) {
		if row := "\n| `" + name + "` | "; !strings.Contains(docs, row) && name != "an error" {
			t.Errorf("docs/OPERATIONS.md does not say what %s --json prints", name)
		}
		for i, v := range jsonValues[name] {
			or := ""
			if i > 0 {
				or = ", or"
			}
			fmt.Fprintf(&b, "%s%s\n", name, or)
			for _, l := range schemaLines("", reflect.TypeOf(v), false) {
				b.WriteString("  " + l + "\n")
			}
		}
	}
	const golden = "testdata/json_schema.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(checked(os.ReadFile(golden))(t)), b.String()); diff != "" {
		t.Errorf("the schema (-want +got), which -update writes:\n%s", diff)
	}
}

func sortedKeysOf[V any](m map[string]V) (all []string) {
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
)

// jsonField is a field of a type as JSON has it.
type jsonField struct {
	name     string
	optional bool
	is       reflect.Type
}

func jsonFields(of reflect.Type) (all []jsonField) {
	for f := range of.Fields() {
		if tag := f.Tag.Get("json"); tag != "" && tag != "-" {
			name, rest, _ := strings.Cut(tag, ",")
			all = append(all, jsonField{name, rest == "omitempty" || name == "*", f.Type})
		}
	}
	return all
}

// jsonKind is what a JSON value of a type is: string, number, bool, any, or empty for what has parts.
func jsonKind(is reflect.Type) string {
	switch {
	case is == timeType:
		return "time"
	case is == rawType:
		return "any"
	}
	switch is.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "bool"
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint64, reflect.Float64:
		return "number"
	case reflect.Interface:
		return "any"
	}
	return ""
}

// schemaLines spell a type, a line for each field of a field.
func schemaLines(path string, is reflect.Type, optional bool) (all []string) {
	suffix := ""
	if optional {
		suffix = ", may be missing"
	}
	if is.Kind() == reflect.Pointer {
		if is = is.Elem(); !optional {
			suffix = " or null"
		}
	}
	if kind := jsonKind(is); kind != "" {
		return []string{path + " " + kind + suffix}
	}
	if suffix != "" {
		all = []string{path + " " + is.Kind().String() + suffix}
	}
	switch is.Kind() {
	case reflect.Slice:
		return append(all, schemaLines(path+"[]", is.Elem(), false)...)
	case reflect.Map:
		return append(all, schemaLines(path+".*", is.Elem(), false)...)
	}
	for _, f := range jsonFields(is) {
		all = append(all, schemaLines(strings.TrimPrefix(path+"."+f.name, "."), f.is, f.optional)...)
	}
	return all
}

// oneCasing is how keys are spelled.
var oneCasing = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

// misfits says what of a JSON value is not as the type has it: a key too many, one that is missing, another type.
func misfits(path string, is reflect.Type, value any) (all []string) {
	if is.Kind() == reflect.Pointer {
		if value == nil {
			return nil
		}
		return misfits(path, is.Elem(), value)
	}
	fits := false
	switch jsonKind(is) {
	case "any":
		fits = true
	case "time":
		text, isText := value.(string)
		_, err := time.Parse(time.RFC3339, text)
		fits = isText && err == nil
	case "string":
		_, fits = value.(string)
	case "number":
		_, fits = value.(float64)
	case "bool":
		_, fits = value.(bool)
	default:
		return misfitsOfParts(path, is, value)
	}
	if !fits {
		return []string{fmt.Sprintf("%s is %v, no %s", path, value, jsonKind(is))}
	}
	return nil
}

func misfitsOfParts(path string, is reflect.Type, value any) (all []string) {
	list, isList := value.([]any)
	object, isObject := value.(map[string]any)
	if isList != (is.Kind() == reflect.Slice) || isObject == isList {
		return []string{fmt.Sprintf("%s is %v, no %s", path, value, is.Kind())}
	}
	for i, v := range list {
		all = append(all, misfits(fmt.Sprintf("%s[%d]", path, i), is.Elem(), v)...)
	}
	if is.Kind() == reflect.Map {
		for name, v := range object {
			all = append(all, misfits(path+"."+name, is.Elem(), v)...)
		}
	}
	if is.Kind() != reflect.Struct {
		return all
	}
	open := false
	known := map[string]bool{}
	for _, f := range jsonFields(is) {
		known[f.name], open = true, open || f.name == "*"
		v, there := object[f.name]
		switch {
		case there:
			all = append(all, misfits(path+"."+f.name, f.is, v)...)
		case !f.optional:
			all = append(all, path+"."+f.name+" is missing")
		}
	}
	for name := range object {
		if !known[name] && !open || !oneCasing.MatchString(name) {
			all = append(all, path+"."+name+" is not in the schema")
		}
	}
	return all
}

func TestMisfits(t *testing.T) {
	for text, want := range map[string]int{
		`{"error": "e", "exit_code": 1}`:                     0,
		`{"error": "e"}`:                                     1,
		`{"error": 1, "exit_code": "1"}`:                     2,
		`{"error": "e", "exit_code": 1, "More": {"x": [1]}}`: 1,
		`{"error": null, "exit_code": 1}`:                    1,
		`[]`:                                                 1,
		`null`:                                               1,
		`"text"`:                                             1,
	} {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if got := misfits("", reflect.TypeFor[errorReport](), v); len(got) != want {
			t.Errorf("%s: %v, want %d", text, got, want)
		}
	}
}
