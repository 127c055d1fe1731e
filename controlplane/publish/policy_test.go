package publish_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestPolicyOverrides(t *testing.T) {
	p := newPlane(t)
	pub, stop := p.start()
	stands := func(r publish.Result, policy, affinity string, overridden bool, changes ...string) {
		t.Helper()
		m, err := publish.FindModel(&r.Release.Snapshot, "glm")
		if err != nil {
			t.Fatal(err)
		}
		if s := m.Effective(); s.Policy != policy || s.Affinity != affinity || (m.Selection != m.Configured) != overridden {
			t.Errorf("release %d: %+v, configured %+v; want %s, %s", r.Release.Number, s, m.Configured, policy, affinity)
		}
		if len(changes) > 0 && !slices.Equal(r.Changes, changes) {
			t.Errorf("changes %q, want %q", r.Changes, changes)
		}
	}
	set := func(s wire.Selection) publish.Result {
		t.Helper()
		r, err := pub.SetPolicy(t.Context(), who, "glm", s)
		must(t, r, err)
		return r
	}
	stands(set(wire.Selection{Policy: wire.PolicyLatency}), "latency", "session", true,
		"model glm: policy weighted -> latency", "model glm: affinity prefix -> session")
	stands(set(wire.Selection{Affinity: wire.AffinityNone}), "latency", "none", true, "model glm: affinity session -> none")
	tuned := pub.Current().Number
	if r := set(wire.Selection{Policy: wire.PolicyLatency}); r.Changed {
		t.Error("set twice")
	}

	// neither weights, nor a restart, nor new files undo it
	r, err := pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.9})
	must(t, r, err)
	stands(r, "latency", "none", true)
	stop()
	pub, stop = p.start()
	defer func() { stop() }()
	stands(publish.Result{Release: pub.Current()}, "latency", "none", true)
	p.write(strings.ReplaceAll(models, "  - id: glm\n", "  - id: glm\n    policy: cost\n"))
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	must(t, r, err)
	stands(r, "latency", "none", true, "model glm: configured policy weighted -> cost")
	p.write(strings.ReplaceAll(models, "  - id: glm\n", "  - id: glm\n    policy: latency\n"))
	r, err = pub.Apply(t.Context(), who, publish.Source{}) // the files say so by now
	must(t, r, err)
	r, err = pub.ResetPolicy(t.Context(), who, "glm")
	must(t, r, err)
	stands(r, "latency", "session", false)
	if w := endpoint(t, r.Release, "glm:local").Weight; w != 0.9 {
		t.Errorf("the reset of a policy changed a weight to %g", w)
	}

	// what the files say is no override
	p.write(models)
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	must(t, r, err)
	stands(set(wire.Selection{Policy: wire.PolicyWeighted, Affinity: wire.AffinityPrefix}), "weighted", "prefix", false)

	// a rollback brings back what was set then
	r, err = pub.Rollback(t.Context(), who, tuned)
	must(t, r, err)
	stands(r, "latency", "none", true)
	r, err = pub.ResetPolicy(t.Context(), who, "")
	must(t, r, err)
	stands(r, "weighted", "prefix", false)
}

func TestPolicyOfAModelThatIsGone(t *testing.T) {
	p := newPlane(t)
	pub, _ := p.start()
	r, err := pub.SetPolicy(t.Context(), who, "glm", wire.Selection{Policy: wire.PolicyCost})
	must(t, r, err)
	p.write(strings.ReplaceAll(models, "id: glm\n", "id: glm-5\n"))
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	must(t, r, err)
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "policy set for glm is dropped") }) {
		t.Errorf("warnings %q", r.Warnings)
	}
	db, err := pub.State()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := db.Overrides(t.Context()); err != nil || len(got.Selections) != 0 {
		t.Errorf("overrides %+v, %v", got, err)
	}
}

func TestUnknownPoliciesAreRefused(t *testing.T) {
	p := newPlane(t)
	pub, _ := p.start()
	f := func(model string, s wire.Selection, want string) {
		t.Helper()
		_, err := pub.SetPolicy(t.Context(), who, model, s)
		if !errors.Is(err, publish.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", s, err, want)
		}
	}
	f("glm", wire.Selection{Policy: "fastest"}, `policy must be one of weighted, priority, least_busy, latency, cost, got "fastest"`)
	f("glm", wire.Selection{Affinity: "sticky"}, `affinity must be one of prefix, session, none, got "sticky"`)
	f("glm", wire.Selection{}, "no policy or affinity specified for glm")
	f("gml", wire.Selection{Policy: "cost"}, `model "gml" not found`)
	if _, err := pub.ResetPolicy(t.Context(), who, "gml"); !errors.Is(err, publish.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}
