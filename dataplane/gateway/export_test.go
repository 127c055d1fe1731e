package gateway

import (
	"maps"
	"slices"
	"strings"
)

// Paths are the paths that are served by their whole name, without those that
// older clients use.
func (g *Gateway) Paths() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(g.routes)), func(path string) bool {
		return path == "/completion" || strings.HasPrefix(path, "/anthropic/")
	})
}

// Excerpt is an excerpt for tests.
type Excerpt struct{ e excerpt }

// Add is excerpt.add.
func (e *Excerpt) Add(inner []byte) { e.e.add(inner) }

// Text is excerpt.text.
func (e *Excerpt) Text() string { return e.e.text() }
