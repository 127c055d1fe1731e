package config_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/config"
)

var update = flag.Bool("update", false, "write the golden files")

// environment is what the files under testdata see.
func environment(name string) (string, bool) {
	text, ok := map[string]string{
		"SET_URL":   "http://set.lan:8000",
		"WRONG_URL": "gpu1.lan",
		"TEAM":      "red",
		"EMPTY":     "",
		// looked up, these would show in the golden files
		"KEY_A": "secret value", "KEY_B": "secret value", "KEY_C": "secret value",
	}[name]
	return text, ok
}

// base is the catalog for the tests of routing.yaml.
const base = `
models:
  - id: both
    aliases: [both-alias]
    route: [{kind: vllm, base_url: "${SET_URL}"}, {kind: deepseek, api_key: "${KEY_A}"}]
  - {id: remote-only, provider: deepseek, api_key: "${KEY_A}"}
`

func TestModels(t *testing.T) {
	golden(t, "models", func(src config.Source) (*config.Files, []config.Warning, error) {
		return config.Parse(src, config.Source{}, environment)
	}, true)
}

func TestBroken(t *testing.T) {
	golden(t, "broken", func(src config.Source) (*config.Files, []config.Warning, error) {
		return config.Parse(src, config.Source{}, environment)
	}, false)
}

func TestRouting(t *testing.T) {
	golden(t, "routing", func(src config.Source) (*config.Files, []config.Warning, error) {
		files, warnings, err := config.Parse(config.Source{Name: "models.yaml", Text: []byte(base)}, src, environment)
		if files != nil {
			files.Models = config.Models{} // always the same
		}
		return files, warnings, err
	}, true)
}

type parse func(config.Source) (*config.Files, []config.Warning, error)

// golden compares what parse makes of each NAME.yaml with NAME.golden.
func golden(t *testing.T, dir string, parse parse, valid bool) {
	t.Helper()
	inputs, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no input in testdata/%s: %v", dir, err)
	}
	for _, in := range inputs {
		t.Run(filepath.Base(in), func(t *testing.T) {
			text, err := os.ReadFile(in)
			if err != nil {
				t.Fatal(err)
			}
			got := render(t, parse, config.Source{Name: filepath.Base(in), Text: text})
			compare(t, strings.TrimSuffix(in, ".yaml")+".golden", got)
			if strings.Contains(got, "secret value") || strings.Contains(got, "do-not-show-me") || strings.Contains(got, "hunter2") {
				t.Errorf("a secret is shown:\n%s", got)
			}
			if broken := strings.HasPrefix(got, "problems"); dir != "routing" && broken == valid {
				t.Errorf("valid: %v, want %v", !broken, valid)
			}
		})
	}
}

func render(t *testing.T, parse parse, src config.Source) string {
	t.Helper()
	files, warnings, err := parse(src)
	var b strings.Builder
	if err != nil {
		b.WriteString("problems:\n" + err.Error() + "\n")
	}
	if len(warnings) > 0 {
		b.WriteString("warnings:\n")
	}
	for _, w := range warnings {
		b.WriteString(w.String() + "\n")
	}
	if files != nil {
		text, err := json.Marshal(any(files))
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&tree); err != nil {
			t.Fatal(err)
		}
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(prune(tree)); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// prune leaves out what is not set, to keep the golden files readable.
func prune(tree any) any {
	switch node := tree.(type) {
	case []any:
		for i := range node {
			node[i] = prune(node[i])
		}
	case map[string]any:
		for name, member := range node {
			switch member = prune(member); member {
			case nil, "", false:
				delete(node, name)
			default:
				node[name] = member
			}
		}
		if len(node) == 0 {
			return nil
		}
	}
	return tree
}

func compare(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: run with -update after checking the difference\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}
