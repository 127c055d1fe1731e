package chat

import (
	"bytes"
	"strings"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// Instruction is put in front of a system message that goes out as a user's,
// where the target takes system messages at the beginning only. It is the
// inside of a literal.
const Instruction = `[Instruction from the system, not from the user]\n`

// AppendArguments appends a call's arguments, the literal of a text, as the
// object that some targets want. No text, white space and null are the empty
// object. Any other text that is none, which models do write, is kept as it came,
// with a note.
func AppendArguments(dst, text []byte) []byte {
	raw := bytes.TrimSpace(rawjson.Unquote(nil, text))
	switch {
	case len(raw) == 0, string(raw) == "null":
		return append(dst, '{', '}')
	case IsObject(raw):
		return append(dst, raw...)
	}
	return append(append(append(dst, `{"arguments":`...), text...), `,"note":"The arguments of this call were not a JSON object"}`...)
}

// IsObject reports whether raw is a JSON object and nothing else.
func IsObject(raw []byte) bool {
	var c rawjson.Cursor
	c.Reset(raw)
	if c.Kind() != rawjson.Object {
		return false
	}
	c.Skip()
	return c.End() == nil
}

// Foreign reports content blocks of Anthropic's own kinds, which no other API
// takes: the calls of its server tools, their results, summaries.
func Foreign(block []byte) bool {
	kind := rawjson.Inner(Member(block, "type"))
	switch string(kind) {
	case "server_tool_use", "mcp_tool_use", "container_upload", "compaction", "search_result", "tool_reference", "document", "image":
		return true
	}
	return bytes.HasSuffix(kind, []byte("_tool_result"))
}

// ForeignText returns what a content block of another API's own kind says, as a
// literal: what a server's tool returned, the results of a search with their
// addresses, the name of a tool that was found, a summary. nil is a block that
// says nothing to another model.
func ForeignText(block []byte) Literal {
	kind := string(rawjson.Inner(Member(block, "type")))
	switch kind {
	case "tool_reference":
		return text(Member(block, "tool_name"))
	case "compaction":
		return text(Member(block, "content"))
	case "web_search_tool_result":
		return searchResults(Member(block, "content"))
	case "search_result":
		return joined(Member(block, "content"), text(Member(block, "title")))
	case "document", "image":
		return sourceText(block)
	}
	if strings.HasSuffix(kind, "_tool_result") {
		return outputText(Member(block, "content"))
	}
	return nil
}

// sourceText returns a document that is made of blocks, and says of one that is
// a provider's own that it was there.
func sourceText(block []byte) Literal {
	source := Member(block, "source")
	if string(Member(source, "type")) != `"content"` {
		return Literal(`"[A file that only its provider has]"`)
	}
	if content := text(Member(source, "content")); content != nil {
		return content
	}
	return joined(Member(source, "content"), text(Member(block, "title")))
}

// outputText returns what a tool that a provider runs returned: a text, texts,
// what a program wrote, a page.
func outputText(content []byte) Literal {
	if len(content) == 0 || content[0] != '{' {
		if t := text(content); t != nil {
			return t
		}
		return joined(content, nil)
	}
	out := []byte{'"'}
	add := func(raw []byte) {
		if t := rawjson.Inner(text(raw)); len(t) > 0 {
			if len(out) > 1 {
				out = append(out, `\n`...)
			}
			out = append(out, t...)
		}
	}
	add(Member(content, "url"))
	add(Member(Member(Member(content, "content"), "source"), "data"))
	add(Member(content, "stdout"))
	add(Member(content, "stderr"))
	if len(out) == 1 {
		return nil
	}
	return append(out, '"')
}

// searchResults lists titles and addresses.
func searchResults(list []byte) Literal {
	out := []byte{'"'}
	for item := range rawjson.Elements(list) {
		url := rawjson.Inner(Member(item, "url"))
		if len(url) == 0 {
			continue
		}
		if len(out) > 1 {
			out = append(out, `\n`...)
		}
		out = append(append(out, rawjson.Inner(Member(item, "title"))...), `: `...)
		out = append(out, url...)
	}
	if len(out) == 1 {
		return nil
	}
	return append(out, '"')
}

// joined returns the texts of blocks behind a title.
func joined(blocks []byte, title Literal) Literal {
	out := append([]byte{'"'}, rawjson.Inner(title)...)
	for b := range rawjson.Elements(blocks) {
		if text := rawjson.Inner(Member(b, "text")); len(text) > 0 {
			if len(out) > 1 {
				out = append(out, `\n`...)
			}
			out = append(out, text...)
		}
	}
	if len(out) == 1 {
		return nil
	}
	return append(out, '"')
}
