package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// maxName is the longest name of a function that every provider takes.
const maxName = 64

// tool is one function of the canonical request.
type tool struct {
	// name is the function's name there, own and namespace the client's.
	name, own, namespace string
	// custom is a tool that takes free text: a function of one string here.
	custom bool
	// object is the client's definition.
	object []byte
}

// tools are the client's own tools. What a provider would run is left out.
type tools struct {
	list    []tool
	dropped []string
}

// read flattens the definitions into functions.
func (t *tools) read(raw []byte) error {
	if raw == nil {
		return nil
	}
	i := 0
	for object := range rawjson.Elements(raw) {
		if err := t.add(fmt.Sprintf("tools[%d]", i), "", object); err != nil {
			return err
		}
		i++
	}
	return nil
}

func (t *tools) add(path, namespace string, object []byte) error {
	if object[0] != '{' {
		return invalid("%s: must be an object with a type", path)
	}
	kind := kindOf(object)
	switch kind {
	case "":
		return invalid("%s.type: required, a string", path)
	case "function", "custom":
		name := chat.Member(object, "name")
		if !canonical.IsText(name) {
			return invalid("%s.name: required, a string", path)
		}
		if p := chat.Member(object, "parameters"); !rawjson.IsNull(p) && p[0] != '{' {
			return invalid("%s.parameters: must be a JSON schema object", path)
		}
		own := rawjson.Text(name)
		t.list = append(t.list, tool{name: flatName(namespace, own), own: own, namespace: namespace, custom: kind == "custom", object: object})
	case "namespace":
		return t.addNamespace(path, object)
	default:
		t.dropped = append(t.dropped, "tools."+kind)
	}
	return nil
}

func (t *tools) addNamespace(path string, object []byte) error {
	name, members := chat.Member(object, "name"), chat.Member(object, "tools")
	if !canonical.IsText(name) {
		return invalid("%s.name: required, a string", path)
	}
	if len(members) == 0 || members[0] != '[' {
		return invalid("%s.tools: required, an array of functions", path)
	}
	i := 0
	for member := range rawjson.Elements(members) {
		if err := t.add(fmt.Sprintf("%s.tools[%d]", path, i), rawjson.Text(name), member); err != nil {
			return err
		}
		i++
	}
	return nil
}

// flatName is the name of a namespace's function among all functions. It is
// made from the two names alone, so that the history is named alike.
func flatName(namespace, own string) string {
	if namespace == "" {
		return own
	}
	name := namespace + "__" + own
	if strings.HasSuffix(namespace, "__") {
		name = namespace + own
	}
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	mark := "_" + hex.EncodeToString(sum[:6])
	return name[:maxName-len(mark)] + mark
}

// find returns the tool of a canonical name, nil if the client has none: a
// model may invent calls.
func (t *tools) find(name string) *tool {
	i := slices.IndexFunc(t.list, func(t tool) bool { return t.name == name })
	if i < 0 {
		return nil
	}
	return &t.list[i]
}

// toolList writes the tools and the choice among them.
func (r *request) toolList(w *writer) error {
	choice, allowed, err := r.tools.choice(r.members["tool_choice"])
	if err != nil {
		return err
	}
	if len(allowed) == 0 {
		return nil // no choice without tools: most servers refuse it
	}
	w.Member("tools")
	w.Put(`[`)
	for i, t := range allowed {
		w.Comma(i > 0)
		w.tool(t)
	}
	w.Put(`]`)
	w.Copy("tool_choice", choice)
	return nil
}

func (w *writer) tool(t *tool) {
	w.Put(`{"type":"function","function":{"name":`)
	w.Buf = rawjson.AppendString(w.Buf, t.name)
	if t.custom {
		w.custom(t.object)
		w.Put(`}}`)
		return
	}
	for _, own := range []string{"description", "parameters", "strict"} {
		w.Sibling(own, chat.Member(t.object, own))
	}
	w.Put(`}}`)
}

// custom writes a tool for free text as a function of one string.
func (w *writer) custom(object []byte) {
	w.Sibling("description", chat.CustomDescription(object))
	w.Put(`,"parameters":` + chat.CustomSchema)
}

// choice returns the canonical tool_choice and the tools that it leaves.
func (t *tools) choice(raw []byte) (choice []byte, allowed []*tool, err error) {
	for i := range t.list {
		allowed = append(allowed, &t.list[i])
	}
	if raw == nil {
		return nil, allowed, nil
	}
	if canonical.IsString(raw) {
		switch string(raw) {
		case `"auto"`, `"none"`, `"required"`:
			return raw, allowed, nil
		}
		return nil, nil, invalid(`tool_choice: must be "auto", "none", "required" or an object`)
	}
	switch kind := kindOf(raw); kind {
	case "":
		return nil, nil, invalid("tool_choice.type: required, a string")
	case "function", "custom":
		name := flatName(rawjson.Text(chat.Member(raw, "namespace")), rawjson.Text(chat.Member(raw, "name")))
		if t.find(name) == nil {
			return nil, nil, invalid("tool_choice.name: unknown tool %q", name)
		}
		return append(rawjson.AppendString([]byte(`{"type":"function","function":{"name":`), name), '}', '}'), allowed, nil
	case "allowed_tools":
		return t.allowedTools(raw)
	default:
		t.dropped = append(t.dropped, "tool_choice."+kind) // a hosted tool
		return nil, allowed, nil
	}
}

// allowedTools leaves only the tools that the choice lists.
func (t *tools) allowedTools(raw []byte) (choice []byte, allowed []*tool, err error) {
	mode := chat.Member(raw, "mode")
	if string(mode) != `"auto"` && string(mode) != `"required"` {
		return nil, nil, invalid(`tool_choice.mode: must be "auto" or "required"`)
	}
	for item := range rawjson.Elements(chat.Member(raw, "tools")) {
		name := flatName(rawjson.Text(chat.Member(item, "namespace")), rawjson.Text(chat.Member(item, "name")))
		if found := t.find(name); found != nil {
			allowed = append(allowed, found)
		}
	}
	return mode, allowed, nil
}
