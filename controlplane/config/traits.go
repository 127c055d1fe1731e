package config

import (
	"slices"

	"github.com/hybridinference/gateway/adapters/traits"
	"github.com/hybridinference/gateway/shared/wire"
)

// traitKeys are what a model's traits may be, by the gateway's own table.
func traitKeys() []key[wire.Traits] {
	var keys []key[wire.Traits]
	for _, c := range traits.Cells() {
		keys = append(keys, key[wire.Traits]{c.Name, func(v value, t *wire.Traits) { v.choice(c.Of(t), c.Words...) }})
	}
	return append(keys, key[wire.Traits]{"efforts", func(v value, t *wire.Traits) { t.Efforts = v.efforts() }})
}

// readTraits reads a mapping of traits. What a route says replaces the model's
// traits one by one.
func readTraits(v value, r *routeEntry) {
	t := wire.Traits{}
	if r.Traits != nil {
		t = *r.Traits
	}
	if read(v, traitKeys(), &t) {
		r.Traits = &t
	}
}

// efforts reads a list of levels.
func (v value) efforts() []string {
	items, ok := v.items()
	if ok && len(items) == 0 {
		v.problemf("must not be empty: leave the key out for what the gateway knows of the model")
	}
	var out []string
	for _, item := range items {
		level := ""
		if item.choice(&level, traits.Efforts()...); level != "" && !slices.Contains(out, level) {
			out = append(out, level)
		}
	}
	return out
}
