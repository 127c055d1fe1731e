package config_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/config"
)

// FuzzParse must end without a panic, with either files that hold what the
// package promises or with problems that say something.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/models/*.yaml", "testdata/broken/*.yaml", "testdata/routing/*.yaml", "../../config/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil || len(paths) == 0 {
			f.Fatalf("no seeds at %s: %v", pattern, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text), "")
			f.Add(base, string(text))
		}
	}
	f.Fuzz(func(t *testing.T, models, routing string) {
		files, _, err := config.Parse(config.Source{Name: "m", Text: []byte(models)}, config.Source{Name: "r", Text: []byte(routing)}, environment)
		if err == nil {
			checkPromises(t, files)
			return
		}
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) == 0 || files != nil {
			t.Fatalf("files %v, err %v", files, err)
		}
		for _, p := range problems {
			if p.File == "" || p.Message == "" || p.Line < 0 {
				t.Errorf("problem %+v", p)
			}
		}
	})
}

func checkPromises(t *testing.T, files *config.Files) {
	t.Helper()
	if len(files.Models.Models) == 0 || files.Models.DefaultModel == "" {
		t.Error("no model")
	}
	names := make(map[string]bool)
	for _, m := range files.Models.Models {
		for _, name := range append(m.Aliases, m.ID) {
			if name == "" || names[name] {
				t.Errorf("name %q is empty or taken", name)
			}
			names[name] = true
		}
		for _, r := range m.Routes {
			own, ok := strings.CutPrefix(r.ID, m.ID+":")
			if !ok || own == "" || strings.Contains(own, ":") || names[r.ID+"\x00"] {
				t.Errorf("endpoint id %q", r.ID)
			}
			names[r.ID+"\x00"] = true
			if r.Kind == "" || r.ProviderModelID == "" || !(r.Weight >= 0) || strings.HasSuffix(r.BaseURL, "/") || (r.BaseURL == "") != (r.Kind == "demo") {
				t.Errorf("route %+v", r)
			}
			if r.ExtraBody != nil && (!json.Valid(r.ExtraBody) || r.ExtraBody[0] != '{') {
				t.Errorf("extra_body %s", r.ExtraBody)
			}
		}
	}
}
