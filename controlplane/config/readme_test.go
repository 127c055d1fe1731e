package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/config"
)

// TestReadme looks for every key and kind in the operators' documentation. The
// lists come from the messages that name what is allowed.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../config/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = config.Parse(
		config.Source{Name: "m", Text: []byte("models: [{zzz: 1, pricing: {zzz: 1}, route: [{zzz: 1}, {kind: zzz}, {processor: zzz}]}]\nzzz: 1")},
		config.Source{Name: "r", Text: []byte("zzz: 1\nrouting_parameter: {zzz: 1}\nlocal_deployment: [{zzz: 1}]")}, environment)
	if err == nil {
		t.Fatal("accepted")
	}
	lists := 0
	for line := range strings.Lines(err.Error()) {
		_, list, found := strings.Cut(line, "allowed keys: ")
		if !found {
			_, list, found = strings.Cut(line, "must be one of ")
			list, _, _ = strings.Cut(list, ", got")
		}
		if !found {
			continue
		}
		lists++
		for word := range strings.SplitSeq(strings.TrimSpace(list), ", ") {
			if !strings.Contains(string(readme), "`"+word+"`") {
				t.Errorf("README.md does not tell of %s", word)
			}
		}
	}
	if lists != 9 {
		t.Errorf("%d lists of allowed words, want 9:\n%v", lists, err)
	}
}
