package config

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// readSecrets reads the one of api_key and api_keys that a mapping has. What a
// route would inherit from its model is replaced as a whole.
func (r *routeEntry) readSecrets(v value, read func(value) []string) {
	if r.keyed {
		v.problemf("api_key and api_keys are mutually exclusive")
		return
	}
	r.keyed, r.anyKey = true, true
	r.SecretNames = read(v)
}

// secret reads an api_key. A blank one says that the endpoint needs none.
func (v value) secret() []string {
	if v.blank() {
		return nil
	}
	if name, ok := v.secretName(); ok {
		return []string{name}
	}
	return nil
}

// secrets reads api_keys. Blank entries are dropped.
func (v value) secrets() []string {
	if v.node.Kind != yaml.SequenceNode {
		v.problemf("must be a list, such as [${NAME}, ${NAME2}]") // what it is may be a key
		return nil
	}
	items, _ := v.items()
	var out []string
	blank := 0
	for _, item := range items {
		if item.blank() {
			item.warnf("is empty and ignored")
			blank++
		} else if name, ok := item.secretName(); !ok {
			continue
		} else if slices.Contains(out, name) {
			item.warnf("duplicate variable %s is ignored", name)
		} else {
			out = append(out, name)
		}
	}
	if blank == len(items) {
		v.problemf("must name at least one variable: omit the key for an endpoint without authentication")
	}
	return out
}

func (v value) blank() bool {
	return v.null() || v.node.Kind == yaml.ScalarNode && v.node.Value == ""
}

// secretName reads ${NAME}. Messages never show the text: it may be the key.
func (v value) secretName() (string, bool) {
	if v.node.Kind != yaml.ScalarNode {
		v.problemf("must be ${NAME}, got %s", v.describe())
		return "", false
	}
	ref := secretRef.FindStringSubmatch(v.node.Value)
	switch {
	case ref != nil:
		if err := v.run.vars.check(ref[1]); err != nil {
			v.problemf("%v", err)
			return "", false
		}
		v.run.vars.secrets[ref[1]] = v.place()
		return ref[1], true
	case defaultedRef.MatchString(v.node.Value):
		v.problemf("must be ${NAME} without a default: each node resolves NAME in its own environment")
	default:
		v.problemf("must be exactly ${NAME}: keys do not belong in files; set the variable in the nodes' environment")
	}
	return "", false
}

// namedSecret reads the value of an extra_headers or extra_body entry that is
// nothing but a variable for a secret, such as ${PORTKEY_API_KEY}: it travels by
// its name, as an api_key does. ok is false for any other value.
func (v value) namedSecret() (name string, ok bool) {
	if v.node.Kind != yaml.ScalarNode {
		return "", false
	}
	ref := secretRef.FindStringSubmatch(v.node.Value)
	if ref == nil || !secretName.MatchString(ref[1]) || own(ref[1]) {
		return "", false
	}
	return v.secretName()
}

// note keeps the name of a secret entry.
func note(into *map[string]string, entry, name string) {
	if *into == nil {
		*into = make(map[string]string)
	}
	(*into)[entry] = name
}
