package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// allowed says which of larder's packages a package may import; one that is not named here fails the test. A trailing
// slash stands for everything below. The order is from the inside outwards.
var allowed = map[string]string{
	"internal/audit":            "internal/caller internal/store",
	"internal/awsclient":        "",
	"internal/awsregion":        "",
	"internal/awssdk/":          "internal/awssdk/ec2/types",
	"internal/awswire":          "",
	"internal/awswire/shapegen": "internal/awswire",
	"internal/cache":            "internal/awsregion internal/catalog",
	"internal/caller":           "",
	"internal/catalog":          "modules/redis",
	"internal/event":            "",
	"internal/operation":        "internal/cache",
	"internal/endpoint":         "internal/awsregion internal/cache",
	"internal/plan":             "internal/cache internal/endpoint",
	"internal/cachelog":         "",
	"internal/cachemetric":      "",
	"internal/childenv":         "",
	"internal/connlimit":        "",
	"internal/constraint":       "",
	"internal/doctor":           "internal/childenv internal/inventory",
	"internal/durable":          "",
	"internal/iampolicy":        "internal/caller",
	"internal/inventory":        "internal/childenv internal/statedir",
	"internal/isolate":          "",
	"internal/logfilter":        "",
	"internal/logstore":         "internal/durable internal/isolate internal/recordlog internal/seal",
	"internal/loopback":         "",
	"internal/node":             "",
	"internal/node/nodetest":    "internal/node",
	"internal/node/process":     "internal/childenv internal/durable internal/isolate internal/node",
	"internal/nodestats":        "internal/isolate internal/redisnode",
	"internal/outbox":           "internal/isolate internal/store",
	"internal/paging":           "",
	"internal/plainlint":        "",
	"internal/pki":              "",
	"internal/recordlog":        "",
	"internal/relay":            "internal/isolate",
	"internal/seal":             "internal/durable",
	"internal/series":           "internal/durable internal/isolate internal/recordlog",
	"internal/metricmath":       "",
	"internal/widget":           "",
	"internal/alarm":            "internal/isolate internal/metricmath internal/series",
	"internal/monitor":          "internal/cachemetric internal/isolate internal/node internal/series",
	"internal/sigv4":            "",
	"internal/snapshot":         "internal/durable internal/seal",
	"internal/store":            "internal/durable internal/statedir",
	"internal/statedir":         "",
	"internal/defaultdeps":      "internal/network internal/store",
	"internal/network":          "internal/awsregion internal/store",
	"internal/tagging":          "",
	"internal/state":            "internal/cache internal/catalog internal/event internal/operation internal/store",
	"internal/redisnode":        "internal/cache internal/catalog internal/cachelog internal/isolate internal/node",
	"internal/gateway":          "internal/audit internal/awswire internal/caller internal/constraint internal/sigv4",
	"internal/hclread":          "",
	"internal/module":           "internal/hclread internal/awssdk/ internal/cache internal/catalog modules/redis",
	"internal/deploy":           "internal/awssdk/ internal/catalog internal/module",
	"internal/engine": "internal/cache internal/catalog internal/endpoint internal/event internal/isolate internal/node " +
		"internal/operation internal/pki internal/plan internal/redisnode internal/relay internal/seal " +
		"internal/snapshot internal/state internal/store",
	"internal/logdelivery": "internal/cache internal/cachelog internal/isolate internal/node internal/redisnode " +
		"internal/state internal/store",
	"internal/exporter": "internal/cache internal/catalog internal/event internal/isolate internal/nodestats " +
		"internal/plan internal/redisnode internal/state internal/store modules/redis",
	"internal/exporter/docgen": "modules/redis",
	"internal/notifier":        "internal/event internal/outbox internal/state internal/store",
	"internal/services/": "internal/alarm internal/audit internal/awssdk/ internal/awswire internal/cache " +
		"internal/caller internal/catalog internal/constraint internal/durable internal/endpoint internal/event " +
		"internal/gateway internal/iampolicy internal/isolate internal/logfilter internal/logstore internal/metricmath " +
		"internal/network " +
		"internal/operation internal/outbox internal/paging " +
		"internal/plan internal/seal internal/series internal/defaultdeps internal/state " +
		"internal/store internal/tagging internal/widget",
	"internal/servicetest":    "internal/audit internal/caller internal/gateway internal/sigv4 internal/testkit",
	"internal/testkit":        "internal/awsclient",
	"internal/app":            "internal/",
	"internal/cli":            "internal/",
	"cmd/larder":              "internal/cli",
	"bench":                   "internal/",
	"modules/redis":           "",
	"modules/redis/readmegen": "modules/redis",
	"test/":                   "internal/",
}

func TestImportsPointInwards(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "larder/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, "larder/")
		rule, known := match(name)
		if !known {
			t.Errorf("%s has no rule: say in this test what it may import", name)
		}
		for _, i := range p.Imports {
			if ours, ok := strings.CutPrefix(i, "larder/"); ok && !permits(rule, ours) {
				t.Errorf("%s imports %s, which lies outside of what it may know", name, ours)
			}
		}
	}
}

// match finds the rule of a package: its own, or that of a folder above it.
func match(name string) (rule string, known bool) {
	if rule, known = allowed[name]; known {
		return rule, true
	}
	for prefix, rule := range allowed {
		if strings.HasSuffix(prefix, "/") && strings.HasPrefix(name+"/", prefix) {
			return rule, true
		}
	}
	return "", false
}

func permits(rule, imported string) bool {
	for _, r := range strings.Fields(rule) {
		if imported == r || strings.HasSuffix(r, "/") && strings.HasPrefix(imported, r) {
			return true
		}
	}
	return false
}
