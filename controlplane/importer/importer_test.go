package importer_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/importer"
)

var update = flag.Bool("update", false, "write the golden files anew")

// report writes all of a result down.
func report(r *importer.Result) string {
	var b strings.Builder
	b.Write(r.Models)
	fmt.Fprintf(&b, "---\n%d models, %d endpoints\n", r.Count, r.Endpoints)
	for _, v := range r.Variables {
		fmt.Fprintf(&b, "variable %s: %s\n", v.Name, v.About)
	}
	for _, c := range r.Commands {
		fmt.Fprintf(&b, "command %s\n", c)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "%d: %s: %s\n", n.Line, n.Key, n.Message)
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestLiteLLM(t *testing.T) {
	r, err := importer.LiteLLM(read(t, "litellm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	got := report(r)
	golden(t, "litellm.golden", got)
	if strings.Contains(got, "sk-literal") {
		t.Error("a secret left the file")
	}
}

func TestOpenRouterCatalog(t *testing.T) {
	r, err := importer.OpenRouterCatalog(read(t, "openrouter.json"), []string{"deepseek/*", "qwen/*"})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "openrouter.golden", report(r))
}

func TestPrices(t *testing.T) {
	before := read(t, "models.yaml")
	u, err := importer.Prices(read(t, "openrouter.json"), before)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(u.Text)
	b.WriteString("---\n")
	for _, c := range u.Changes {
		fmt.Fprintf(&b, "%d: %s %s: %s -> %s\n", c.Line, c.Model, c.Key, c.Old, c.New)
	}
	for _, n := range u.Notes {
		fmt.Fprintf(&b, "%d: %s: %s\n", n.Line, n.Key, n.Message)
	}
	golden(t, "prices.golden", b.String())
	again, err := importer.Prices(read(t, "openrouter.json"), u.Text)
	if err != nil || len(again.Changes) != 0 || string(again.Text) != string(u.Text) {
		t.Errorf("a second time: %+v %v", again, err)
	}
}

func TestPythonEnv(t *testing.T) {
	e, err := importer.PythonEnv(read(t, "python.env"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "python.golden", fmt.Sprintf("%s---\nkept %v\nrenamed %v\ndropped %v\n", e.Text, e.Kept, e.Renamed, e.Dropped))
}

// What is no such file is refused, and says what it is not.
func TestOtherFiles(t *testing.T) {
	f := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	lite := func(text string) error { _, err := importer.LiteLLM([]byte(text)); return err }
	f(lite(""), "the top is not a mapping")
	f(lite("- a"), "the top is not a mapping")
	f(lite("a: [\n"), "not YAML")
	f(lite("a: &a {<<: *a}"), "contains itself")
	f(lite("models: []"), "no model_list")
	f(lite("model_list: []"), "no model in it can be carried over")
	f(lite("model_list: [1, {model_name: x}, {model_name: y, litellm_params: 7}]"), "no model in it can be carried over")
	list := func(text string, only ...string) error {
		_, err := importer.OpenRouterCatalog([]byte(text), only)
		return err
	}
	f(list("{"), "not the JSON of a models list")
	f(list("{}"), "no models under data")
	f(list(`{"data":[{"id":"a/b"}]}`, "x/*"), "no model of the list matches x/*")
	prices := func(models string) error {
		_, err := importer.Prices([]byte(`{"data":[{"id":"a/b","pricing":{"prompt":"0.000001","completion":"0.000002"}}]}`), []byte(models))
		return err
	}
	f(prices("x"), "models.yaml: the top is not a mapping")
	f(prices("models: [{id: a/b, provider: demo, pricing: {prompt: &p 3, completion: *p}}]"), "without an anchor")
	f(prices("models:\n  - {id: a/b, provder: demo}\n"), "unknown key")
	_, err := importer.PythonEnv([]byte("# nothing\n"))
	f(err, "no line of the form NAME=value")
}

func FuzzLiteLLM(f *testing.F) {
	text, err := os.ReadFile("testdata/litellm.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("model_list: [{model_name: a, litellm_params: {model: ollama/b, weight: .inf, timeout: -1, extra_body: [1]}}]")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := importer.LiteLLM([]byte(text)); err == nil && r.Count == 0 {
			t.Error("nothing, and no error")
		} else if err != nil && strings.Contains(err.Error(), "panic") {
			t.Error(err)
		}
	})
}
