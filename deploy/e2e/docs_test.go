package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Prose that names files rots unless something checks it.
func TestLinksInTheReadmesLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)\)`)
	files, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"*/README.md", "*/*/README.md"} {
		more, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	if len(files) < 8 {
		t.Fatalf("only %d files found: %v", len(files), files)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s: link to %s leads nowhere", file, m[1])
			}
		}
	}
}

func TestEnvExampleNamesEveryVariable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, ".env.example"))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z][A-Z0-9_]*)=`).FindAllStringSubmatch(string(text), -1) {
		named[m[1]] = true
	}
	known := map[string]bool{"GATEWAY_ADMIN_URL": true, "GATEWAY_ADMIN_CA": true}
	setting := regexp.MustCompile(`(?m)^  ([A-Z][A-Z0-9_, ]*), --`)
	for _, args := range [][]string{{"dataplane", "--help"}, {"controlplane", "serve", "--help"}, {"controlplane", "collect", "--help"}, {"controlplane", "compare", "--help"}, {"standalone", "--help"}} {
		out, err := exec.Command(filepath.Join(bin, args[0]), args[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		found := setting.FindAllStringSubmatch(string(out), -1)
		if len(found) < 5 {
			t.Fatalf("%v lists only %d settings:\n%s", args, len(found), out)
		}
		for _, m := range found {
			name, _, _ := strings.Cut(m[1], ",")
			known[name] = true
			if !named[name] {
				t.Errorf(".env.example lacks %s, which %s reads", name, args[0])
			}
		}
	}
	for _, file := range []string{"models.yaml", "routing.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, "config", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\$\{([A-Z][A-Z0-9_]*)`).FindAllStringSubmatch(string(text), -1) {
			known[m[1]] = true
			if !named[m[1]] {
				t.Errorf(".env.example lacks %s, which config/%s refers to", m[1], file)
			}
		}
	}
	for name := range named {
		if !known[name] {
			t.Errorf(".env.example has %s, which nothing reads", name)
		}
	}
}
