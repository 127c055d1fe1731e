package compile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/shared/wire"
)

// next is a model with a shadow.
func next(shadow string) string {
	return `
models:
  - id: glm
    pricing: {prompt: 0, completion: 0}
    route:
      - {id: local, kind: vllm, base_url: "${LOCAL}"}
      - {id: far, kind: vllm, base_url: "http://10.0.0.6:8000"}
      - {id: next, ` + shadow + `}
`
}

// A shadow that costs money is refused unless it was confirmed, or is in service.
func TestPaidShadows(t *testing.T) {
	snapshot := func(shadow string, previous *wire.Snapshot, paid bool) (wire.Snapshot, error) {
		out, err := compile.Snapshot(compile.Input{Files: files(t, next(shadow), ""), Previous: previous, PaidShadows: paid, Now: time.Unix(1, 0)})
		return out.Snapshot, err
	}
	f := func(shadow string, refused bool) {
		t.Helper()
		_, err := snapshot(shadow, nil, false)
		problems, ok := errors.AsType[config.Problems](err)
		if ok != refused || refused && (len(problems) != 1 || problems[0].Line != 8 || problems[0].Key != "models[0].route[2].shadow" || !strings.Contains(problems[0].Message, "--yes")) {
			t.Errorf("%s: %v, want it refused: %t", shadow, err, refused)
		}
		if _, err := snapshot(shadow, nil, true); err != nil {
			t.Errorf("%s: confirmed: %v", shadow, err)
		}
	}
	f(`kind: vllm, base_url: "http://10.0.0.7:8000", shadow: 5%`, false)
	f(`kind: vllm, base_url: "http://10.0.0.7:8000", shadow: 5%, pricing: {prompt: null, completion: null}`, false) // on our own network
	f(`kind: vllm, base_url: "http://10.0.0.7:8000", shadow: 5%, pricing: {prompt: 1}`, true)
	f(`kind: deepseek, shadow: 5%`, false) // the model's prices: 0
	f(`kind: deepseek, shadow: 5%, pricing: {prompt: null, completion: null}`, true)
	f(`kind: deepseek, shadow: 5%, pricing: {completion: 0.5}`, true)
	f(`kind: demo, shadow: 5%`, false)

	const five, six, free = `kind: deepseek, shadow: 5%, pricing: {prompt: 1}`, `kind: deepseek, shadow: 6%, pricing: {prompt: 1}`, `kind: deepseek, shadow: 5%`
	was, err := snapshot(five, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot(five, &was, false); err != nil {
		t.Errorf("in service already: %v", err)
	}
	if _, err := snapshot(six, &was, false); err == nil {
		t.Error("a larger share needs no confirmation")
	}
	if was, err = snapshot(free, nil, false); err != nil {
		t.Fatal(err)
	}
	if _, err := snapshot(five, &was, false); err == nil {
		t.Error("a shadow that begins to cost needs no confirmation")
	}
}

// A shadow has no share of the traffic, whatever else says so.
func TestShadowsHaveNoWeight(t *testing.T) {
	routing := `
routing_parameter: {local_fraction: 0.8}
local_deployment: [{endpoint: "http://10.0.0.5:8000", models: [glm]}, {endpoint: "http://10.0.0.7:8000", models: [glm]}]
remote_deployment: [{endpoint: "http://10.0.0.6:8000", models: [glm]}]
`
	in := compile.Input{
		Files: files(t, next(`kind: vllm, base_url: "http://10.0.0.7:8000", shadow: 2.5%`), routing), Now: time.Unix(1, 0), Overrides: map[string]float64{"glm:next": 3},
	}
	out, err := compile.Snapshot(in)
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	for _, e := range out.Snapshot.Models[0].Endpoints {
		got = append(got, e.Weight, e.Configured, e.Shadow)
	}
	if want := []float64{0.8, 0.8, 0, 0.2, 0.2, 0, 0, 0, 0.025}; !slices.Equal(got, want) {
		t.Errorf("weights and shadows %v, want %v", got, want)
	}
	before := out.Snapshot
	before.Models = slices.Clone(before.Models)
	before.Models[0].Endpoints = slices.Clone(before.Models[0].Endpoints)
	before.Models[0].Endpoints[2].Shadow = 0
	if got := compile.Diff(&before, &out.Snapshot); len(got) != 1 || got[0] != "endpoint glm:next: shadow none -> 2.5%" {
		t.Errorf("%q", got)
	}
	before.Models[0].Endpoints = before.Models[0].Endpoints[:2]
	if got := compile.Diff(&before, &out.Snapshot); len(got) != 1 || got[0] != "endpoint glm:next: added as a shadow of 2.5%" {
		t.Errorf("%q", got)
	}
}
