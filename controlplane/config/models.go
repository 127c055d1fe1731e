package config

import "strings"

// Models is the content of models.yaml.
type Models struct {
	// DefaultModel is the id of the model that answers requests without one:
	// default_model with its alias resolved, else the first model.
	DefaultModel string
	// Models has at least one entry, in the order of the file. Ids and aliases
	// are unique among all of them.
	Models []Model
}

// catalog is models.yaml while it is read.
type catalog struct {
	defaultModel value
	list         value
}

func catalogKeys() []key[catalog] {
	return []key[catalog]{
		{"default_model", func(v value, c *catalog) { c.defaultModel = v }},
		{"models", func(v value, c *catalog) { c.list = v }},
	}
}

func (r *reading) models(src Source) Models {
	root, ok := r.document(src)
	if !ok {
		return Models{}
	}
	if root.null() {
		root.problemf("the file is empty: the key models, a list of models, is required")
		return Models{}
	}
	var c catalog
	if !read(root, append(catalogKeys(), anchorHolders[catalog](root)...), &c) {
		return Models{}
	}
	if !c.list.given() {
		root.needs("models", "a list of models")
		return Models{}
	}
	return c.models()
}

// anchorHolders allows top-level keys that start with x-. They are a place to
// define anchors, which would be unknown keys otherwise.
func anchorHolders[T any](root value) []key[T] {
	var keys []key[T]
	for i := 0; i < len(root.node.Content); i += 2 {
		if name := root.node.Content[i].Value; strings.HasPrefix(name, "x-") {
			keys = append(keys, key[T]{name, func(value, *T) {}})
		}
	}
	return keys
}

func (c *catalog) models() Models {
	items, ok := c.list.items()
	if ok && len(items) == 0 {
		c.list.problemf("must not be empty: at least one model is required")
	}
	all := Models{}
	taken := make(claims)
	for _, item := range items {
		m := readModel(item)
		m.claim(taken)
		all.Models = append(all.Models, m.Model)
	}
	all.DefaultModel = c.resolveDefault(all.Models, taken)
	return all
}

// claims maps every id and alias to the model that has it.
type claims map[string]claim

type claim struct {
	at    Place
	model string
}

func (c claims) take(name, model string, v value) {
	if first, taken := c[name]; taken {
		v.problemf("duplicate model name %q, already used by %s on line %d", name, first.at.Key, first.at.Line)
		return
	}
	c[name] = claim{v.place(), model}
}

func (c *catalog) resolveDefault(models []Model, taken claims) string {
	if !c.defaultModel.given() {
		if len(models) == 0 {
			return ""
		}
		return models[0].ID
	}
	var name string
	if !c.defaultModel.text(&name) {
		return ""
	}
	found, ok := taken[name]
	if !ok {
		c.defaultModel.problemf("must be the id or an alias of a model in this file, got %s%s", c.defaultModel.got(name), suggest(name, claimed(models)))
	}
	return found.model
}

func claimed(models []Model) []string {
	var out []string
	for i := range models {
		out = append(append(out, models[i].ID), models[i].Aliases...)
	}
	return out
}

// needs is the problem of a required key that is absent.
func (v value) needs(name, why string) {
	v.problemf("missing key %s: %s", name, why)
}
