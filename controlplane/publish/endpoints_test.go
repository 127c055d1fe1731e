package publish_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/shared/wire"
)

// endpoint returns an endpoint of a release.
func endpoint(t *testing.T, r *wire.Release, id string) wire.Endpoint {
	t.Helper()
	for _, m := range r.Snapshot.Models {
		if i := slices.IndexFunc(m.Endpoints, func(e wire.Endpoint) bool { return e.ID == id }); i >= 0 {
			return m.Endpoints[i]
		}
	}
	t.Fatalf("release %d has no %s", r.Number, id)
	return wire.Endpoint{}
}

func TestADisabledEndpointKeepsItsWeightForLater(t *testing.T) {
	p := newPlane(t)
	pub, stop := p.start()
	stands := func(r *wire.Release, weight, later float64, disabled bool) {
		t.Helper()
		e := endpoint(t, r, "glm:local")
		if e.Weight != weight || e.Intended() != later || e.Disabled() != disabled {
			t.Errorf("release %d: weight %g, later %g, disabled %v; want %g, %g, %v", r.Number, e.Weight, e.Intended(), e.Disabled(), weight, later, disabled)
		}
	}
	r, err := pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.9})
	must(t, r, err)
	r, err = pub.DisableEndpoints(t.Context(), who, []string{"glm:local"})
	must(t, r, err)
	stands(r.Release, 0, 0.9, true)
	if want := []string{"endpoint glm:local: disabled, weight 0.9 is kept"}; !slices.Equal(r.Changes, want) {
		t.Errorf("changes %q", r.Changes)
	}
	disabled := r.Release.Number
	r, err = pub.DisableEndpoints(t.Context(), who, []string{"glm:local"})
	if must(t, r, err); r.Changed {
		t.Error("disabled twice")
	}

	// neither other weights, nor new files, nor a restart put it back
	r, err = pub.SetWeights(t.Context(), who, "glm", map[string]float64{"local": 0.4, "far": 0.6})
	must(t, r, err)
	stands(r.Release, 0, 0.4, true)
	r, err = pub.ResetWeights(t.Context(), who, "")
	must(t, r, err)
	stands(r.Release, 0, 0.7, true)
	p.write(strings.ReplaceAll(models, "weight: 0.7", "weight: 0.2"))
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	must(t, r, err)
	stands(r.Release, 0, 0.2, true)
	stop()
	pub, _ = p.start()
	stands(pub.Current(), 0, 0.2, true)

	r, err = pub.EnableEndpoints(t.Context(), who, []string{"glm:local"})
	must(t, r, err)
	stands(r.Release, 0.2, 0.2, false)
	r, err = pub.Rollback(t.Context(), who, disabled)
	must(t, r, err)
	stands(r.Release, 0, 0.9, true)
	r, err = pub.Rollback(t.Context(), who, 1)
	must(t, r, err)
	stands(r.Release, 0.7, 0.7, false)
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	must(t, r, err)
	stands(r.Release, 0.2, 0.2, false) // the rollback undid the disabling, too

	r, err = pub.DisableEndpoints(t.Context(), who, []string{"glm:local"})
	must(t, r, err)
	p.write(strings.ReplaceAll(models, "id: local", "id: near"))
	r, err = pub.Apply(t.Context(), who, publish.Source{})
	if must(t, r, err); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "glm:local") {
		t.Errorf("warnings %q", r.Warnings)
	}
}

func TestWhatCannotBeDisabled(t *testing.T) {
	p := newPlane(t)
	pub, _ := p.start()
	for want, ids := range map[string][]string{
		"no endpoints specified":                               nil,
		`endpoint "glm:nowhere" not found; glm has local, far`: {"glm:nowhere"},
		`endpoint "local" not found; gatewayctl endpoints`:     {"local"},
		"no endpoint of glm would have a weight above 0":       {"glm:local", "glm:far"},
	} {
		if _, err := pub.DisableEndpoints(t.Context(), who, ids); !errors.Is(err, publish.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", ids, err, want)
		}
	}
	if n := pub.Current().Number; n != 1 {
		t.Errorf("release %d was made", n)
	}
}
