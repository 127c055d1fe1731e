package config

import "strings"

// key is one line of a section's table: the name of a key and what to do with
// its value. Without read it is one of ignoredKeys.
type key[T any] struct {
	name string
	read func(v value, into *T)
}

// read fills into from a mapping by the section's table. Absent keys and
// explicit nulls leave into as it is, so that it can hold the defaults. The
// result reports whether v is a mapping at all.
func read[T any](v value, keys []key[T], into *T) bool { return readAll(v, keys, into, false) }

// readNulls is read for sections whose keys take null, which then gets to them.
func readNulls[T any](v value, keys []key[T], into *T) bool { return readAll(v, keys, into, true) }

func readAll[T any](v value, keys []key[T], into *T, nulls bool) bool {
	entries, ok := v.entries()
	for _, e := range entries {
		k := find(keys, e.name)
		switch {
		case k == nil:
			e.key.problemf("unknown key%s; allowed keys: %s", suggest(e.name, names(keys)), strings.Join(names(keys), ", "))
		case k.read == nil:
			e.key.warnf("has no effect: %s", ignoredKeys()[k.name])
		case nulls || !e.value.null():
			k.read(e.value, into)
		}
	}
	return ok
}

func find[T any](keys []key[T], name string) *key[T] {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

// names returns the keys that do something.
func names[T any](keys []key[T]) []string {
	var out []string
	for _, k := range keys {
		if k.read != nil {
			out = append(out, k.name)
		}
	}
	return out
}

// lift makes the keys of a part usable in the table of the whole.
func lift[Whole, Part any](keys []key[Part], part func(*Whole) *Part) []key[Whole] {
	out := make([]key[Whole], len(keys))
	for i, k := range keys {
		out[i] = key[Whole]{k.name, func(v value, into *Whole) { k.read(v, part(into)) }}
	}
	return out
}

// ignoredKeys are known from other gateways that read the same files, with the
// reason why they do nothing here.
func ignoredKeys() map[string]string {
	return map[string]string{
		"router":            "set the model's policy instead",
		"router_params":     "set the model's policy instead",
		"subscription_type": "costs are computed from pricing",
		"provider_type":     "it follows from kind",
		"quota":             "the gateway honors the provider's 429 responses",
		"quota_source":      "the gateway honors the provider's 429 responses",
		"concurrency":       "use max_concurrency",
		"openrouter_sort":   "use extra_body: {provider: {sort: ...}}",
		"logging":           "logging is configured with LOG_FORMAT and LOG_LEVEL",
	}
}

func ignored[T any](names ...string) []key[T] {
	out := make([]key[T], len(names))
	for i, name := range names {
		out[i].name = name
	}
	return out
}
