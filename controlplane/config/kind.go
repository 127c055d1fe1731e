package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters"
)

var slugText = regexp.MustCompile(`^[A-Za-z0-9_.-]+\]$`)

// kind reads the name of a kind, with the provider that it pins in brackets.
func (v value) kind() (p adapters.Provider, slug string, ok bool) {
	var text string
	if !v.text(&text) {
		return adapters.Provider{}, "", false
	}
	name, rest, pinned := strings.Cut(text, "[")
	if p, ok = adapters.Find(name); ok && pinned && p.Pins {
		if !slugText.MatchString(rest) {
			v.problemf("must be %[1]s[slug] with a slug of letters, digits and _ . -, such as %[1]s[deepinfra], got %[2]s", name, v.got(text))
			return adapters.Provider{}, "", false
		}
		return p, strings.TrimSuffix(rest, "]"), true
	}
	if ok && !pinned {
		return p, "", true
	}
	known := adapters.Kinds()
	shown := slices.Clone(known)
	for _, p := range adapters.Providers() {
		if p.Pins {
			shown = append(shown, p.Kind+"[slug]")
		}
	}
	v.problemf("must be one of %s, got %s%s", strings.Join(shown, ", "), v.got(text), suggest(text, known))
	return adapters.Provider{}, "", false
}
