package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headings = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced   = regexp.MustCompile("(?ms)^```.*?^```")
	unfit    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// TestLinksResolve checks every relative link of the documentation, and the
// heading that it names.
func TestLinksResolve(t *testing.T) {
	const root = "../.."
	checked := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root):
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text := read(t, path)
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			checked++
			checkLink(t, path, m[1])
		}
		return nil
	})
	if err != nil || checked < 100 {
		t.Errorf("%d links checked, %v", checked, err)
	}
}

func checkLink(t *testing.T, from, to string) {
	t.Helper()
	file, anchor, _ := strings.Cut(to, "#")
	target := from
	if file != "" {
		target = filepath.Join(filepath.Dir(from), file)
	}
	if _, err := os.Stat(target); err != nil {
		t.Errorf("%s: %s: %v", from, to, err)
		return
	}
	if anchor == "" || filepath.Ext(target) != ".md" {
		return
	}
	for _, m := range headings.FindAllStringSubmatch(fenced.ReplaceAllString(read(t, target), ""), -1) {
		if slug(m[1]) == anchor {
			return
		}
	}
	t.Errorf("%s: %s: no such heading", from, to)
}

// slug is the anchor of a heading.
func slug(title string) string {
	return strings.ReplaceAll(unfit.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
