package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/config"
)

const (
	exampleModels  = "../../config/models.yaml"
	exampleRouting = "../../config/routing.yaml"
)

// TestExample loads the repository's own files on a machine where nothing is
// set, and on one where everything is.
func TestExample(t *testing.T) {
	f := func(name string, env func(string) (string, bool), endpoints, skipped int) {
		t.Helper()
		files, warnings, err := config.Load(exampleModels, exampleRouting, env)
		if err != nil {
			t.Fatalf("%s:\n%v", name, err)
		}
		first := files.Models.Models[0]
		if files.Models.DefaultModel != "demo" || first.ID != "demo" || first.Routes[0].Kind != "demo" {
			t.Errorf("%s: the demo model must be first and the default", name)
		}
		got, out := 0, 0
		for _, m := range files.Models.Models {
			got += len(m.Routes)
			if m.Description == "" {
				t.Errorf("%s: model %s has no description", name, m.ID)
			}
		}
		for _, w := range warnings {
			if w.Unset == nil {
				t.Errorf("%s: unexpected warning: %v", name, w)
			} else if strings.HasSuffix(w.File, "models.yaml") {
				out++
			}
		}
		if got != endpoints || out != skipped {
			t.Errorf("%s: %d endpoints and %d skipped, want %d and %d", name, got, out, endpoints, skipped)
		}
	}
	f("nothing set", func(string) (string, bool) { return "", false }, 12, 6)
	f("everything set", func(name string) (string, bool) {
		switch {
		case strings.Contains(name, "URL"):
			return "http://" + strings.ToLower(strings.ReplaceAll(name, "_", "-")) + ".lan:8000/", true
		case strings.HasPrefix(name, "VERTEX"):
			return "europe-west1", true
		case strings.HasSuffix(name, "_MODEL"):
			return "", false // has a default
		}
		t.Errorf("%s was looked up", name)
		return "", false
	}, 18, 0)
}

func TestExampleWeights(t *testing.T) {
	files, _, err := config.Load(exampleModels, exampleRouting, func(name string) (string, bool) {
		return "http://localhost:8000", name == "LOCAL_BASE_URL"
	})
	if err != nil {
		t.Fatal(err)
	}
	split := files.Routing.Split
	got := make(map[string]config.Group)
	for _, m := range files.Models.Models {
		for _, r := range m.Routes {
			if g := split.GroupOf(&m, &r); g != config.Unlisted {
				got[r.ID] = g
			}
		}
	}
	want := map[string]config.Group{"glm-4.6:local-8000": config.Local, "glm-4.6:zhipu-api": config.Remote}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("groups are %v, want %v", got, want)
	}
}

func TestShares(t *testing.T) {
	f := func(fraction float64, local, remote int, wantLocal, wantRemote float64) {
		t.Helper()
		s := config.Split{LocalFraction: fraction}
		if l, r := s.Shares(local, remote); l != wantLocal || r != wantRemote {
			t.Errorf("Shares(%d, %d) of %v = %v, %v, want %v, %v", local, remote, fraction, l, r, wantLocal, wantRemote)
		}
	}
	f(0.5, 2, 1, 0.25, 0.5)
	f(0.75, 1, 1, 0.75, 0.25)
	f(0, 2, 2, 0, 0.5)
	f(1, 2, 2, 0.5, 0)
	f(0.75, 4, 0, 0.25, 0)
	f(0.75, 0, 4, 0, 0.25)
	f(0.75, 0, 0, 0, 0)
}

// TestLoadMissing checks what becomes of files that are not there.
func TestLoadMissing(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "models.yaml", "models: [{id: demo, provider: demo}]")
	write(t, "bad.yaml", "models: [{id: demo, provider: demmo}]")
	write(t, "bad-routing.yaml", "timeout: soon")

	f := func(models, routing string, want ...string) {
		t.Helper()
		files, _, err := config.Load(models, routing, environment)
		var problems config.Problems
		if (err == nil) != (files != nil) || err != nil && !errors.As(err, &problems) {
			t.Fatalf("Load(%q, %q) = %v, %v", models, routing, files, err)
		}
		if len(problems) != len(want) {
			t.Fatalf("Load(%q, %q) found %d problems, want %d:\n%v", models, routing, len(problems), len(want), err)
		}
		for i, p := range problems {
			if !strings.HasPrefix(p.String(), want[i]) {
				t.Errorf("problem %q, want %q", p, want[i])
			}
		}
	}
	f("models.yaml", config.DefaultRoutingPath)
	f("models.yaml", "other.yaml", "other.yaml: no such file")
	f("models.yaml", "bad-routing.yaml", "bad-routing.yaml:1: timeout: ")
	f("none.yaml", "bad-routing.yaml", "none.yaml: no such file", "bad-routing.yaml:1: timeout: ")
	f("bad.yaml", "none.yaml", "none.yaml: no such file", "bad.yaml:1: models[0].provider: ")
	f("bad.yaml", "bad-routing.yaml", "bad.yaml:1: models[0].provider: ", "bad-routing.yaml:1: timeout: ")
	f(".", config.DefaultRoutingPath, ".: the file cannot be read: ")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Clean(path), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What is built in is free, and stands in where the model has other routes,
// also if these are absent.
func TestTheDemoIsFreeAndStandsIn(t *testing.T) {
	f := func(routes string, standIn bool) {
		t.Helper()
		text := "models: [{id: m, pricing: {prompt: 1, completion: 2, request: 3}, route: [" + routes + "]}]"
		files, _, err := config.Parse(config.Source{Name: "m", Text: []byte(text)}, config.Source{}, environment)
		if err != nil {
			t.Fatal(err)
		}
		routesOf := files.Models.Models[0].Routes
		demo := routesOf[len(routesOf)-1]
		if free := (config.Pricing{Prompt: "0", Completion: "0"}); demo.Kind != "demo" || demo.StandIn != standIn || !reflect.DeepEqual(demo.Pricing, free) {
			t.Errorf("%s: %+v", routes, demo)
		}
	}
	f("{kind: demo}", false)
	f("{kind: demo, id: a}, {kind: demo, id: b}", false)
	f("{kind: vllm, base_url: 'http://a.lan'}, {kind: demo}", true)
	f("{kind: vllm, base_url: '${NOT_SET}'}, {kind: demo, pricing: {prompt: 5}}", true)
}
