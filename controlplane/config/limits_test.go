package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/config"
)

// refuse parses a catalog that must be refused, and returns why.
func refuse(t *testing.T, text string) config.Problems {
	t.Helper()
	began := time.Now()
	_, _, err := config.Parse(config.Source{Name: "m", Text: []byte(text)}, config.Source{}, environment)
	var problems config.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("err = %v, want Problems", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	return problems
}

func TestTooLarge(t *testing.T) {
	p := refuse(t, strings.Repeat("# a comment\n", 400_000))
	if len(p) != 1 || !strings.Contains(p[0].Message, "exceeds 4194304 bytes") {
		t.Errorf("problems: %v", p)
	}
}

// TestAliasBombs expands short files without end, in each way that a file can.
func TestAliasBombs(t *testing.T) {
	ten := func(name string) string { return strings.TrimSuffix(strings.Repeat("*"+name+",", 10), ",") }
	var lists, maps, merges strings.Builder
	lists.WriteString("x-0: &l0 [1,1,1,1,1,1,1,1,1,1]\n")
	maps.WriteString("x-0: &l0 {a: 1}\n")
	merges.WriteString("x-0: &l0 {a: 1}\n")
	for i := range 9 {
		name := fmt.Sprintf("l%d", i)
		fmt.Fprintf(&lists, "x-%d: &l%d [%s]\n", i+1, i+1, ten(name))
		fmt.Fprintf(&maps, "x-%d: &l%d {a: *%s, b: *%s, c: *%s, d: *%s, e: *%s, f: *%s}\n", i+1, i+1, name, name, name, name, name, name)
		fmt.Fprintf(&merges, "x-%d: &l%d {<<: [%s]}\n", i+1, i+1, ten(name))
	}
	f := func(bomb, use string) {
		t.Helper()
		problems := refuse(t, bomb+use)
		if len(problems) > 1001 {
			t.Errorf("%d problems", len(problems))
		}
		for _, p := range problems {
			if strings.Contains(p.Message, "after expanding aliases") || strings.Contains(p.Message, "more problems are not shown") {
				return
			}
		}
		t.Errorf("not refused for its size: %s", use)
	}
	body := "models: [{id: demo, provider: demo, route: [{extra_body: {x: *l9}}]}]\n"
	f(lists.String(), body)
	f(maps.String(), body)
	f(merges.String(), "models: [{id: demo, provider: demo, <<: *l9}]\n")

	routes := "x-r: &r {kind: demo}\nx-m: &m {id: demo, route: [" + strings.TrimSuffix(strings.Repeat("*r,", 2000), ",") + "]}\n"
	f(routes, "models: ["+strings.TrimSuffix(strings.Repeat("*m,", 2000), ",")+"]\n")
}

// TestLargeCatalog keeps the limits away from real catalogs.
func TestLargeCatalog(t *testing.T) {
	var b strings.Builder
	b.WriteString("models:\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "  - id: vendor/model-%d\n    aliases: [m%d]\n    pricing: {prompt: \"0.1\", completion: \"0.2\"}\n    route:\n", i, i)
		for j := range 5 {
			fmt.Fprintf(&b, "      - {id: e%d, kind: vllm, base_url: \"http://gpu%d.lan:8000/v1\", weight: %d.5, api_key: \"${KEY_A}\"}\n", j, j, j)
		}
	}
	files, _, err := config.Parse(config.Source{Name: "m", Text: []byte(b.String())}, config.Source{}, environment)
	if err != nil {
		t.Fatalf("%.500v", err)
	}
	if got := len(files.Models.Models); got != 2000 {
		t.Errorf("%d models", got)
	}
}

// TestOddTexts feeds what makes the YAML library hang or panic if no one
// watches over it.
func TestOddTexts(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("[", 20_000),
		strings.Repeat("{a: ", 20_000),
		strings.Repeat("- ", 20_000),
		"a: &a [*a]",
		"? ", ":", "-", "---", "--- ---", "...", "%YAML 1.1\n---\n", "\xef\xbb\xbf", "!!map", "&a", "*a", "<<: *a", "|", "#",
	} {
		if p := refuse(t, text); len(p) == 0 {
			t.Errorf("%.20q is refused without a reason", text)
		}
	}
}

func TestExtraBodyKeepsOrder(t *testing.T) {
	files, _, err := config.Parse(config.Source{Name: "m", Text: []byte(
		"models: [{id: demo, provider: demo, route: [{extra_body: {z: 1.0, a: {y: 0.10, b: [1e3, 12345678901234567890]}}}]}]")}, config.Source{}, environment)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"z":1.0,"a":{"y":0.10,"b":[1e3,12345678901234567890]}}`
	if got := string(files.Models.Models[0].Routes[0].ExtraBody); got != want {
		t.Errorf("extra_body is %s, want %s", got, want)
	}
}
