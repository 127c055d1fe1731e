package compile_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/shared/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func env(name string) (string, bool) {
	return map[string]string{"LOCAL": "http://10.0.0.5:8000"}[name], name == "LOCAL"
}

func files(t *testing.T, models, routing string) *config.Files {
	t.Helper()
	f, _, err := config.Parse(config.Source{Name: "models.yaml", Text: []byte(models)}, config.Source{Name: "routing.yaml", Text: []byte(routing)}, env)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const models = `
default_model: glm
models:
  - id: glm
    name: GLM
    aliases: [glm-latest]
    supports_tools: true
    supported_params: [temperature, top_p, max_tokens, seed, thinking]
    pricing: {prompt: "0.6", completion: "2.2"}
    route:
      - {id: local, kind: vllm, weight: 0.7, base_url: "${LOCAL}", provider_model_id: /models/glm}
      - {id: far, kind: openai_compat, weight: 0.3, base_url: "https://llm.example.com/v1", api_key: "${FAR_KEY}"}
      - {id: last, kind: openai_compat, weight: 0.01, base_url: "https://other.example.org/v1", pricing: {prompt: "1"}}
  - {id: demo, name: Demo, provider: demo}
`

const routing = `
health_check: 5
timeout: 1
routing_parameter: {local_fraction: 0.9}
local_deployment: [{endpoint: "http://10.0.0.5:8000", models: [glm]}]
remote_deployment: [{endpoint: "https://llm.example.com/v1", models: [glm-latest]}]
`

func TestGolden(t *testing.T) {
	out, err := compile.Snapshot(compile.Input{
		Files: files(t, models, routing), Now: time.Unix(1_780_000_000, 0),
		Overrides: map[string]float64{"glm:far": 0.5, "glm:gone": 1},
		Previous:  &wire.Snapshot{Models: []wire.Model{{ID: "demo", Created: 1_700_000_000}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Orphans) != 1 || out.Orphans[0] != "glm:gone" {
		t.Errorf("orphans %v", out.Orphans)
	}
	got, err := json.MarshalIndent(out.Snapshot, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "snapshot.json")
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got)+"\n" != string(want) {
		t.Errorf("compiled\n%s\nwant\n%s", got, want)
	}
}

func TestWeights(t *testing.T) {
	f := func(routing string, overrides map[string]float64, want ...float64) {
		t.Helper()
		out, err := compile.Snapshot(compile.Input{Files: files(t, models, routing), Overrides: overrides})
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range out.Snapshot.Models[0].Endpoints {
			if d := e.Weight - want[i]; d > 1e-9 || d < -1e-9 {
				t.Errorf("%s has weight %v, want %v", e.ID, e.Weight, want[i])
			}
		}
	}
	f("", nil, 0.7, 0.3, 0.01)
	f(routing, nil, 0.9, 0.1, 0.01)
	f(routing, map[string]float64{"glm:local": 0, "glm:last": 2}, 0, 0.1, 2)
	f("routing_strategy: other\n"+routing, nil, 0.7, 0.3, 0.01)
}

func TestWhatNoNodeCouldServeIsRefusedWithItsPlace(t *testing.T) {
	bad := strings.Replace(models, "supported_params: [temperature,", "supported_params: [temprature,", 1)
	_, err := compile.Snapshot(compile.Input{Files: files(t, bad, "")})
	if err == nil || !strings.Contains(err.Error(), "models.yaml:") || !strings.Contains(err.Error(), "temprature") {
		t.Errorf("error %v", err)
	}
}

func TestDiff(t *testing.T) {
	snapshot := func(text string) *wire.Snapshot {
		out, err := compile.Snapshot(compile.Input{Files: files(t, text, ""), Now: time.Unix(1, 0)})
		if err != nil {
			t.Fatal(err)
		}
		return &out.Snapshot
	}
	before := snapshot(models)
	if d := compile.Diff(before, snapshot(models)); len(d) != 0 {
		t.Errorf("equal snapshots differ: %v", d)
	}
	f := func(old, text, want string) {
		t.Helper()
		if got := strings.Join(compile.Diff(before, snapshot(strings.Replace(models, old, text, 1))), "; "); got != want {
			t.Errorf("diff %q, want %q", got, want)
		}
	}
	f("weight: 0.7", "weight: 0.9", "endpoint glm:local: weight 0.7 -> 0.9")
	overridden := func(text string) *wire.Snapshot {
		out, err := compile.Snapshot(compile.Input{Files: files(t, text, ""), Now: time.Unix(1, 0), Overrides: map[string]float64{"glm:local": 0.2}})
		if err != nil {
			t.Fatal(err)
		}
		return &out.Snapshot
	}
	got := compile.Diff(overridden(models), overridden(strings.Replace(models, "weight: 0.7", "weight: 0.9", 1)))
	if want := "endpoint glm:local: configured weight 0.7 -> 0.9"; len(got) != 1 || got[0] != want {
		t.Errorf("diff under an override %q, want %q", got, want)
	}
	f("{id: demo, name: Demo", "{id: demo2, name: Demo", "model demo2: added with 1 endpoints; model demo: removed")
	f("name: GLM", "name: Glm", "model glm: settings changed")
	f("name: GLM", "policy: latency", "model glm: policy weighted -> latency; model glm: affinity prefix -> session; model glm: settings changed")
	f("name: GLM", "name: GLM\n    affinity: none", "model glm: affinity prefix -> none")
	f("name: GLM", "name: GLM\n    policy: weighted", "")
	f("{id: last,", "{id: last, priority: 1,", "endpoint glm:last: settings changed")
	f("/models/glm", "/models/glm5", "endpoint glm:local: settings changed")
	f("{id: last", "{id: final", "endpoint glm:final: added with weight 0.01; endpoint glm:last: removed")
	f("default_model: glm", "default_model: demo", "default model: glm -> demo")
}
