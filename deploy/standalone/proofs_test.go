package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/shared/env"
)

// proofsFile names for every key of the configuration and every variable the
// tests that show what it does. Its heading explains the form.
const proofsFile = "testdata/proofs.txt"

// proof is one line of the file.
type proof struct {
	line int
	// of is the key or variable, by the programs that the line is for; "" for all.
	of       string
	programs []string
	tests    []string
}

var proofLine = regexp.MustCompile(`^([A-Z0-9_]+|\S+\.yaml \S+)(?: \(([^)]*)\))?: (.+)$`)

func readProofs(t *testing.T) (list []proof) {
	t.Helper()
	text, err := os.ReadFile(proofsFile)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m := proofLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("%s:%d: %q is not \"KEY: folder.TestName ...\" or \"VARIABLE (program, program): folder.TestName ...\"", proofsFile, n, line)
		}
		p := proof{line: n, of: m[1], tests: strings.Fields(m[3])}
		if m[2] != "" {
			p.programs = strings.Split(m[2], ", ")
		}
		list = append(list, p)
	}
	return list
}

// TestEverySettingHasAProof fails for a key or variable without a test that shows its effect.
func TestEverySettingHasAProof(t *testing.T) {
	list := readProofs(t)
	want := map[string]bool{}
	for _, key := range configurationKeys(t) {
		want[key] = true
	}
	readers := map[string][]string{}
	for _, p := range programs() {
		for _, s := range env.Describe(p.settings) {
			for _, name := range append([]string{s.Name}, s.Aliases...) {
				readers[name] = append(readers[name], p.name)
			}
		}
	}
	readers["GATEWAY_ADMIN_URL"], readers["GATEWAY_ADMIN_CA"] = []string{"gatewayctl"}, []string{"gatewayctl"}
	proven := map[string]bool{}
	for _, p := range list {
		by, isVariable := readers[p.of]
		switch {
		case want[p.of] && p.programs == nil:
			proven[p.of] = true
		case isVariable:
			for _, program := range p.programs {
				if !slices.Contains(by, program) {
					t.Errorf("%s:%d: %s does not read %s", proofsFile, p.line, program, p.of)
				}
				proven[p.of+" of "+program] = true
			}
			if p.programs == nil {
				for _, program := range by {
					proven[p.of+" of "+program] = true
				}
			}
		default:
			t.Errorf("%s:%d: there is no key or variable %s", proofsFile, p.line, p.of)
		}
	}
	for name, by := range readers {
		for _, program := range by {
			want[name+" of "+program] = true
		}
	}
	for what := range want {
		if !proven[what] {
			t.Errorf("nothing shows what %s does: write a test that fails when it has no effect, and add a line for it to deploy/standalone/%s", what, proofsFile)
		}
	}
}

// TestProofsExist fails for a line that names a test which is not there.
func TestProofsExist(t *testing.T) {
	sources := map[string]string{}
	for _, p := range readProofs(t) {
		for _, name := range p.tests {
			if err := testExists(sources, name); err != nil {
				t.Errorf("%s:%d: %s: %v", proofsFile, p.line, p.of, err)
			}
		}
	}
}

// testExists finds folder.TestName, or folder.TestName/case, in the sources: the
// case is a text of the test's file.
func testExists(sources map[string]string, name string) error {
	dot := strings.LastIndex(name, ".Test")
	if dot < 0 {
		return fmt.Errorf("%q is not folder.TestName", name)
	}
	folder := name[:dot]
	test, one, isCase := strings.Cut(name[dot+1:], "/")
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		return err
	}
	for _, path := range files {
		if _, read := sources[path]; !read {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sources[path] = string(text)
		}
		if !strings.Contains(sources[path], "\nfunc "+test+"(t *testing.T)") {
			continue
		}
		if isCase && !strings.Contains(sources[path], `"`+one+`"`) {
			return fmt.Errorf("%s has no case %q", name[:dot+1]+test, one)
		}
		return nil
	}
	return fmt.Errorf("%s has no %s", folder, test)
}

// configurationKeys asks the parser which keys there are: what it does not know
// it answers with a list. Keys are named like "models.yaml models[].route[].weight".
func configurationKeys(t *testing.T) (keys []string) {
	t.Helper()
	for _, file := range []string{"models.yaml", "routing.yaml"} {
		for _, key := range keysBelow(t, file, "") {
			keys = append(keys, file+" "+key)
		}
	}
	slices.Sort(keys)
	return keys
}

// keysBelow returns the keys of the mapping at a path, with those of the
// mappings in it, alone or in lists.
func keysBelow(t *testing.T, file, path string) (keys []string) {
	t.Helper()
	for _, key := range keysAt(t, file, path) {
		if path != "" {
			key = path + "." + key
		}
		keys = append(keys, key)
		keys = append(keys, keysBelow(t, file, key)...)
		keys = append(keys, keysBelow(t, file, key+"[]")...)
	}
	return keys
}

// keysAt returns the keys that are allowed in the mapping at a path; none if
// there is no mapping.
func keysAt(t *testing.T, file, path string) []string {
	t.Helper()
	const unknown = "zzzzz"
	text := "{" + unknown + ": 1}"
	steps := strings.Split(path, ".")
	if path == "" {
		steps = nil
	}
	at := unknown
	for _, step := range slices.Backward(steps) {
		name, isList := strings.CutSuffix(step, "[]")
		if isList {
			text = "[" + text + "]"
		}
		text = "{" + name + ": " + text + "}"
	}
	if path != "" {
		at = strings.ReplaceAll(path, "[]", "[0]") + "." + unknown
	}
	sources := map[string]config.Source{file: {Name: file, Text: []byte(text)}}
	_, _, err := config.Parse(sources["models.yaml"], sources["routing.yaml"], func(string) (string, bool) { return "", false })
	problems, ok := errors.AsType[config.Problems](err)
	if !ok {
		t.Fatalf("%s: %v", text, err)
	}
	for _, p := range problems {
		if _, list, found := strings.Cut(p.Message, "allowed keys: "); found && p.File == file && p.Key == at {
			return strings.Split(list, ", ")
		}
	}
	return nil
}
