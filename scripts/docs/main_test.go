package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The site of this repository has every page of the index, and no link in it
// leads nowhere.
func TestSite(t *testing.T) {
	out := t.TempDir()
	rel, err := filepath.Rel(must(filepath.Abs("../..")), out)
	if err != nil {
		t.Fatal(err)
	}
	if err := build("../..", filepath.Join("../..", rel), "https://example.org/source"); err != nil {
		t.Fatal(err)
	}
	href := regexp.MustCompile(`href="([^"]*)"`)
	pages, links := 0, 0
	err = filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".html" {
			return err
		}
		pages++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range href.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			links++
			file, anchor, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			there, err := os.ReadFile(target)
			if err != nil || anchor != "" && !strings.Contains(string(there), `id="`+anchor+`"`) {
				t.Errorf("%s: %s leads nowhere: %v", path, m[1], err)
			}
		}
		return nil
	})
	if err != nil || pages < 15 || links < 300 {
		t.Errorf("%d pages with %d links: %v", pages, links, err)
	}
	llms, err := os.ReadFile(filepath.Join(out, "llms.txt"))
	if err != nil || strings.Count(string(llms), "\n- [") != pages {
		t.Errorf("llms.txt: %v\n%s", err, llms)
	}
}

func TestBrokenLinks(t *testing.T) {
	f := func(page, want string) {
		t.Helper()
		root := t.TempDir()
		files := map[string]string{"docs/README.md": "# Docs\n[one](one.md)", "docs/one.md": page, "other.go": "package other"}
		for name, text := range files {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := build(root, filepath.Join(root, "site"), "")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", page, err, want)
		}
	}
	f("# One\n[a](README.md#docs) [b](#one) [c](../other.go) [d](https://example.org)", "")
	f("[a](two.md)", "docs/one.md: the link to two.md leads nowhere")
	f("# One\n[a](#two)", "names a heading that docs/one.md does not have")
	f("[a](../other.rs)", "leads nowhere")
}

func must(path string, err error) string {
	if err != nil {
		panic(err)
	}
	return path
}
