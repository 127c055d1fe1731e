package config

import "gopkg.in/yaml.v3"

// maxMergeDepth is how many mappings a << may lead through.
const maxMergeDepth = 16

// entry is one line of a mapping.
type entry struct {
	name  string
	key   value // the name itself, for problems about it
	value value
}

// entries returns a mapping's lines with << merged in: what stands in the
// mapping itself wins, then the first merged mapping that has the key.
func (v value) entries() ([]entry, bool) { return v.entriesAt(0) }

func (v value) entriesAt(depth int) ([]entry, bool) {
	if v.node.Kind != yaml.MappingNode {
		v.problemf("must be a mapping (key: value), got %s", v.describe())
		return nil, false
	}
	if !v.run.visit(v, len(v.node.Content)/2+1) {
		return nil, false
	}
	var (
		own    []entry
		merged []value
		lines  = make(map[string]int)
	)
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		name, node := v.node.Content[i], v.node.Content[i+1]
		if name.ShortTag() == "!!merge" {
			merged = append(merged, v.mergeParts(node)...)
			continue
		}
		e, ok := v.entry(name, node)
		if !ok {
			continue
		}
		if first, twice := lines[e.name]; twice {
			e.key.problemf("duplicate key, first defined on line %d", first)
			continue
		}
		lines[e.name] = name.Line
		own = append(own, e)
	}
	return v.merge(own, lines, merged, depth), true
}

// entry reads one name. It may be an alias to text, like any other scalar.
func (v value) entry(name, node *yaml.Node) (entry, bool) {
	if k := v.of(name, v.key); k.node.Kind == yaml.ScalarNode {
		return entry{k.node.Value, v.member(k.node.Value, name), v.member(k.node.Value, node)}, true
	} else if k.node.Kind == yaml.SequenceNode {
		k.problemf("a key must be a string, got a list")
	} else {
		k.problemf("a key must be a string, got a mapping")
	}
	return entry{}, false
}

func (v value) merge(own []entry, lines map[string]int, merged []value, depth int) []entry {
	for _, m := range merged {
		if depth == maxMergeDepth {
			m.problemf("<< merges more than %d levels of mappings", maxMergeDepth)
			return own
		}
		entries, _ := m.entriesAt(depth + 1)
		for _, e := range entries {
			if _, has := lines[e.name]; !has {
				lines[e.name] = e.key.line
				own = append(own, e)
			}
		}
	}
	return own
}

// mergeParts returns the mappings that a << names: one, or a list of them.
// Their keys count as keys of v.
func (v value) mergeParts(node *yaml.Node) []value {
	at := v.member("<<", node)
	parts := []value{at}
	if at.node.Kind == yaml.SequenceNode {
		parts, _ = at.items()
	}
	for i, part := range parts {
		if part.node.Kind != yaml.MappingNode {
			part.problemf("must name a mapping, such as *defaults, or a list of mappings, got %s", part.describe())
			parts[i].node = &yaml.Node{Kind: yaml.MappingNode}
		}
		parts[i].key = v.key
	}
	return parts
}
