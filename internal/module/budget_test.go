package module

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// chain declares locals a0 to aN, the first as it is, each other one by the formula, in which PREV is the one before.
func chain(first, formula string, length int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "locals {\n  a0 = %s\n", first)
	for i := 1; i <= length; i++ {
		fmt.Fprintf(&b, "  a%d = %s\n", i, strings.ReplaceAll(formula, "PREV", fmt.Sprintf("local.a%d", i-1)))
	}
	fmt.Fprintf(&b, "  last = local.a%d\n}\n", length)
	return b.String()
}

// Each of these few lines asks for more memory, or time, than a machine has. They are refused where they grow.
func TestConfigurationsThatGrowAreRefused(t *testing.T) {
	const letters = `"xxxxxxxxxxxxxxxx"`
	const numbers = "range(1000)"
	for name, locals := range map[string]string{
		"templates":  chain(letters, `"`+strings.Repeat("${PREV}", 10)+`"`, 9),
		"lists":      chain("[1]", "["+strings.Repeat("PREV,", 10)+"]", 9),
		"objects":    chain("{x = 1}", "{"+strings.Repeat("k", 1)+" = PREV, l = PREV, m = PREV, n = PREV}", 40),
		"concat":     chain("[1]", "concat("+strings.Repeat("PREV,", 10)+")", 9),
		"format":     chain(letters, `format("%s%s%s%s%s%s%s%s%s%s"`+strings.Repeat(", PREV", 10)+`)`, 9),
		"join":       chain(letters, "join(PREV, ["+strings.Repeat("PREV,", 10)+"])", 9),
		"jsonencode": chain(`"\"\"\"\"\"\"\"\""`, "jsonencode(jsonencode(jsonencode(PREV)))", 10),
		"doubling":   chain(letters, `"${PREV}${PREV}"`, 60),
		"loops": chain(numbers,
			"[for a in PREV : [for b in "+numbers+" : [for c in "+numbers+" : [for d in "+numbers+" : 1 if false]]]]",
			1),
		"loop over loops": chain(numbers, "[for a in PREV : "+numbers+"]", 20),
		"template loop": chain(numbers,
			`"%{ for a in `+numbers+` }%{ for b in `+numbers+` }%{ for c in `+numbers+` }xxxxxxxx%{ endfor }%{ endfor }%{ `+
				`endfor }${length(PREV)}"`, 1),
		"splat": chain("[{x = "+numbers+"}]",
			"["+strings.Repeat("PREV[*].x,", 100)+strings.Repeat("PREV,", 100)+"]", 9),
		"merge": chain("{x = "+letters+"}",
			"merge("+strings.Repeat(`{for k, v in PREV : "${k}${k}" => "${v}${v}"},`, 2)+")", 40),
		"setproduct": chain(numbers, "setproduct(PREV, PREV, PREV)", 1),
		"distinct": chain(numbers,
			"distinct(flatten([for a in "+numbers+" : [for b in range(100) : \"${a}.${b}\"]]))", 1),
		"formatlist": chain(letters,
			`formatlist("%s%s", "`+strings.Repeat("${PREV}", 1000)+`", [for a in `+numbers+` : tostring(a)])`, 2),
		"width":          chain(letters, `format("%2000000000s", PREV)`, 1),
		"precision":      chain("1", `format("%.2000000000f", PREV)`, 1),
		"number":         chain("1e99999999", `"${PREV}"`, 1),
		"literal number": "locals {\n  last = \"${1e99999999}\"\n}\n",
		"small number":   "locals {\n  last = \"${1e-99999999}\"\n}\n",
		"parsed number":  chain(`tonumber("1e99999999")`, "tostring(PREV)", 1),
		"decoded number": chain(`jsondecode("1e99999999")`, "tostring(PREV)", 1),
		"regexall": chain(letters,
			`length(regexall("`+strings.Repeat("(", 50)+"."+strings.Repeat(")",
				50)+`", join("", [for a in `+numbers+` : "`+strings.Repeat("x", 1000)+`"])))`, 1),
		"conditional": chain(letters, `true ? "`+strings.Repeat("${PREV}", 10)+`" : ""`, 9),
		"key": "locals {\n  last = {for a in " + numbers + " : join(\"\", [for b in " + numbers + " : \"" +
			strings.Repeat("x", 100) + "${a}\"]) => 1}\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := writeFiles(t, "main.tf",
				block(`description = can(jsonencode(local.last)) ? "a" : "b"`,
					`project_name = jsonencode(local.last)`)+locals)
			got := complaints(t, dir, Vars{})
			if len(got) == 0 || len(got) > 3 ||
				!strings.Contains(strings.Join(got, "\n"), "the most that larder up works out") {
				t.Errorf("%d complaints: %.2000q", len(got), got)
			}
		})
	}
}

// What grows may also come from outside the files.
func TestVariablesThatGrowAreRefused(t *testing.T) {
	declared := "variable \"x\" {\n  type = number\n}\n"
	for name, vars := range map[string]Vars{
		"argument":    {Args: []VarArg{{Name: "x", Value: "1e99999999"}}},
		"environment": {Environ: []string{"TF_VAR_x=1e99999999"}},
		"file": {Args: []VarArg{{File: filepath.Join(writeFiles(t, "x.tfvars", "x = 1e99999999\n"),
			"x.tfvars")}}},
		"loop": {Args: []VarArg{{File: filepath.Join(writeFiles(t, "x.tfvars",
			"x = [for a in ["+strings.Repeat("1,", 999)+"] : [for b in ["+strings.Repeat("1,",
				999)+"] : [for c in ["+strings.Repeat("1,", 999)+"] : 1 if false]]]\n"), "x.tfvars")}}},
	} {
		got := complaints(t, writeFiles(t, "main.tf", block(`description = "${var.x}"`)+declared), vars)
		if !strings.Contains(strings.Join(got, "\n"), "the most that larder up works out") {
			t.Errorf("%s: %.500q", name, got)
		}
	}
}

// Configurations as people write them are far from the bound: a thousand subnets, a policy of 100 KB.
func TestLargeConfigurationsAreNotRefused(t *testing.T) {
	locals := "locals {\n  policy = \"" + strings.Repeat("x", 100_000) +
		"\"\n  copies = [local.policy, local.policy, upper(local.policy)]\n" +
		"  subnets = [for i in range(1000) : { name = \"subnet-${i}\", zone = element([\"a\", \"b\"], i) }]\n" +
		"  names = distinct(local.subnets[*].name)\n  zones = { for s in local.subnets : s.zone => s.name... }\n}\n"
	dir := writeFiles(t, "main.tf",
		block(`description = "${length(local.copies)} ${length(local.names)} ${length(local.zones)}"`)+locals)
	if got := complaints(t, dir, Vars{}); len(got) > 0 {
		t.Errorf("complaints: %.500q", got)
	}
}

// What is loaded again may work out as much as the first time, and no more.
func TestABudgetIsForOneLoad(t *testing.T) {
	text := block(`description = "${length(local.last)}"`) +
		chain(`"xxxxxxxxxx"`, `"`+strings.Repeat("${PREV}", 10)+`"`, 5)
	src := Source{Config: mustOpen(t, writeFiles(t, "main.tf", text)), NodeTypes: testTypes()}
	for range 20 {
		if _, diags := Load(src, testStandIns()); len(diags) > 0 {
			t.Fatalf("complaints: %.500s", diags)
		}
	}
}

func TestFilesThatAreNoFiles(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "main.tf")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	call := writeFiles(t, "main.tf", block())
	for name, c := range map[string]struct {
		path string
		vars Vars
		want string
	}{
		"a pipe as configuration": {dir, Vars{}, "nobody writes to this pipe"},
		"named":                   {pipe, Vars{}, "nobody writes to this pipe"},
		"a pipe of variables":     {call, Vars{Args: []VarArg{{File: pipe}}}, "nobody writes to this pipe"},
		"a device":                {call, Vars{Args: []VarArg{{File: "/dev/zero"}}}, "no regular file"},
		"a directory":             {call, Vars{Args: []VarArg{{File: dir}}}, "no regular file"},
	} {
		if got := complaints(t, c.path, c.vars); !strings.Contains(strings.Join(got, "\n"), c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
