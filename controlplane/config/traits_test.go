package config_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/config"
)

func TestTraits(t *testing.T) {
	parse := func(model string) (*config.Files, error) {
		files, _, err := config.Parse(config.Source{Name: "m.yaml", Text: []byte("models:\n- " + model)}, config.Source{}, func(string) (string, bool) { return "", false })
		return files, err
	}
	files, err := parse("{id: a, provider: vllm, base_url: 'http://h', traits: {sampling: never, thinking_default: on, efforts: [low, max, low]}, route: [{id: x}, {id: y, traits: {sampling: always, prefill: no}}]}")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range files.Models.Models[0].Routes {
		got = append(got, fmt.Sprintf("%s %s %s %v", r.Traits.Sampling, r.Traits.ThinkingDefault, r.Traits.Prefill, r.Traits.Efforts))
	}
	if want := "never on  [low max]; always on no [low max]"; strings.Join(got, "; ") != want {
		t.Errorf("%q, want %q", got, want)
	}
	for bad, want := range map[string]string{
		"{samplings: never}": "traits.samplings: unknown key (did you mean \"sampling\"?)",
		"{sampling: nver}":   `traits.sampling: must be one of always, one_of, without_thinking, never, got "nver" (did you mean "never"?)`,
		"{efforts: [huge]}":  "traits.efforts[0]: must be one of none, minimal,",
		"{efforts: []}":      "traits.efforts: must not be empty",
	} {
		_, err := parse("{id: a, provider: vllm, base_url: 'http://h', traits: " + bad + "}")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", bad, err, want)
		}
	}
}
