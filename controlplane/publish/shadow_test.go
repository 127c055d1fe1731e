package publish_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/publish"
)

// A paid shadow needs a confirmation once; a shadow gets no weight.
func TestShadows(t *testing.T) {
	p := newPlane(t)
	pub, stop := p.start()
	with := strings.Replace(models, `  - {id: demo, provider: demo}`, `      - {id: next, kind: deepseek, shadow: 5%, pricing: {prompt: 1, completion: 1}}
  - {id: demo, provider: demo}`, 1)
	p.write(with)
	for _, apply := range []func() error{
		func() error { _, err := pub.Apply(t.Context(), publish.Change{}, publish.Source{}); return err },
		func() error {
			_, err := pub.Apply(t.Context(), publish.Change{}, publish.Source{Models: &with})
			return err
		},
		func() error { _, err := pub.Reload(t.Context(), publish.Change{}); return err },
	} {
		if err := apply(); err == nil || !strings.Contains(err.Error(), ":9: models[0].route[2].shadow: 5%") {
			t.Error(err)
		}
	}
	done, err := pub.Apply(t.Context(), publish.Change{}, publish.Source{PaidShadows: true})
	if err != nil || !done.Changed {
		t.Fatalf("%+v, %v", done, err)
	}
	if done, err := pub.Apply(t.Context(), publish.Change{}, publish.Source{}); err != nil || done.Changed {
		t.Errorf("again: %+v, %v", done, err)
	}
	if _, err := pub.SetWeights(t.Context(), publish.Change{}, "glm", map[string]float64{"next": 1}); err == nil || !strings.Contains(err.Error(), "next is a shadow and has no weight") {
		t.Errorf("a weight: %v", err)
	}
	if _, _, err := pub.StartRollout(t.Context(), publish.Change{}, controlstate.Rollout{Model: "glm", RolloutContent: controlstate.RolloutContent{Endpoint: "next"}}); err == nil || !strings.Contains(err.Error(), "next is a shadow") {
		t.Errorf("a rollout: %v", err)
	}
	for i, set := range []func() (publish.Result, error){
		func() (publish.Result, error) {
			return pub.DisableEndpoints(t.Context(), publish.Change{}, []string{"glm:next"})
		},
		func() (publish.Result, error) {
			return pub.EnableEndpoints(t.Context(), publish.Change{}, []string{"glm:next"})
		},
	} {
		done, err := set()
		if err != nil {
			t.Fatal(err)
		}
		if e := done.Release.Snapshot.Models[0].Endpoints[2]; e.Weight != 0 || e.Disabled() != (i == 0) || e.Shadow != 0.05 {
			t.Errorf("%d: %+v", i, e)
		}
	}
	number := pub.Current().Number
	stop()
	pub, stop = p.start() // with the same files
	defer stop()
	if pub.Current().Number != number {
		t.Errorf("release %d after a restart, %d before", pub.Current().Number, number)
	}
}
