package importer

import (
	"fmt"
	"iter"
	"math/big"
	"strings"

	"gopkg.in/yaml.v3"
)

// entry is a key of a mapping with its value.
type entry struct {
	path  string // such as model_list[2].litellm_params.model
	name  string
	line  int
	value *yaml.Node
}

// parse returns the top mapping of a YAML (or JSON) text.
func parse(text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	var whole any // refuses anchors that contain themselves, or that grow without bound
	if err := doc.Decode(&whole); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("the top is not a mapping")
	}
	return doc.Content[0], nil
}

// entries lists the keys of a mapping, with << and aliases resolved by value;
// nothing of any other node.
func entries(n *yaml.Node, path string) iter.Seq[entry] {
	return func(yield func(entry) bool) {
		n = resolved(n)
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if key.Tag == "!!merge" {
				for e := range entries(n.Content[i+1], path) {
					if lookup(n, e.name) == nil && !yield(e) {
						return
					}
				}
				continue
			}
			at := key.Value
			if path != "" {
				at = path + "." + at
			}
			if !yield(entry{at, key.Value, key.Line, resolved(n.Content[i+1])}) {
				return
			}
		}
	}
}

func resolved(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// lookup returns the value of a mapping's own key, nil without it.
func lookup(n *yaml.Node, name string) *yaml.Node {
	n = resolved(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return resolved(n.Content[i+1])
		}
	}
	return nil
}

// items lists the elements of a sequence; a scalar is its only one.
func items(n *yaml.Node) []*yaml.Node {
	n = resolved(n)
	switch {
	case n == nil || n.Tag == "!!null":
		return nil
	case n.Kind == yaml.SequenceNode:
		out := make([]*yaml.Node, len(n.Content))
		for i, c := range n.Content {
			out[i] = resolved(c)
		}
		return out
	}
	return []*yaml.Node{n}
}

func text(n *yaml.Node) string {
	if n = resolved(n); n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// number returns a positive number, 0 for anything else.
func number(n *yaml.Node) float64 {
	var f float64
	if n == nil || n.Decode(&f) != nil || !(f > 0) {
		return 0
	}
	return f
}

func integer(n *yaml.Node) int {
	f := number(n)
	if f >= 1<<31 {
		return 0
	}
	return int(f)
}

func truth(n *yaml.Node) (value bool) {
	return n != nil && n.Decode(&value) == nil && value
}

// scaled multiplies a price, such as one per token by a million, and writes it
// with the six decimals that models.yaml has. Not ok: it is no price, or it has more.
func scaled(decimal string, by int64) (price string, ok bool) {
	r, ok := new(big.Rat).SetString(decimal)
	if !ok || r.Sign() < 0 || strings.ContainsAny(decimal, "/_xX") {
		return "", false
	}
	r.Mul(r, new(big.Rat).SetInt64(by))
	text := r.FloatString(6)
	back, _ := new(big.Rat).SetString(text)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text, back.Cmp(r) == 0
}
