package messages

import (
	"bytes"
	"fmt"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api/canonical"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// messages writes the system prompt and the turns.
func (w *writer) messages(m request) error {
	raw := m["messages"]
	if raw[0] != '[' {
		return invalid("messages: must be an array of messages")
	}
	w.Member("messages")
	w.Put(`[`)
	c := conversation{w: w}
	if system := withoutBilling(m["system"]); system != nil {
		if err := c.plain("system", "system", system); err != nil {
			return err
		}
	}
	i := 0
	for msg := range rawjson.Elements(raw) {
		if err := c.message(fmt.Sprintf("messages[%d]", i), msg); err != nil {
			return err
		}
		i++
	}
	if i == 0 {
		return invalid("messages: must have at least one message")
	}
	w.Put(`]`)
	return nil
}

// withoutBilling returns the system prompt less the block in which Claude Code
// tells Anthropic what to bill. It differs from request to request, so that
// nothing after it could be cached. nil is no prompt at all.
func withoutBilling(system []byte) []byte {
	const billing = `"x-anthropic-billing-header:`
	if len(system) == 0 || system[0] != '[' {
		return system
	}
	out := []byte{'['}
	first := true
	for block := range rawjson.Elements(system) {
		if first && block[0] == '{' && bytes.HasPrefix(chat.Member(block, "text"), []byte(billing)) {
			first = false
			continue
		}
		if first {
			return system
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, block...)
	}
	if len(out) == 1 {
		return nil
	}
	return append(out, ']')
}

// conversation writes messages, of which one of the client's can become several.
type conversation struct {
	w *writer
	n int
}

// begin opens a message, up to the value of its content.
func (c *conversation) begin(role string) {
	c.w.Comma(c.n > 0)
	c.n++
	c.w.Put(`{"role":"` + role + `"`)
}

func (c *conversation) message(path string, msg []byte) error {
	if msg[0] != '{' {
		return invalid("%s: must be an object with role and content", path)
	}
	content := chat.Member(msg, "content")
	switch role := string(rawjson.Inner(chat.Member(msg, "role"))); role {
	case "user":
		return c.user(path, content)
	case "assistant":
		return c.assistant(path, content)
	case "system":
		return c.plain(path+".content", "system", content)
	}
	return invalid("%s.role: must be user, assistant or system", path)
}

// plain writes a message that has content only.
func (c *conversation) plain(path, role string, content []byte) error {
	c.begin(role)
	if err := c.content(path, content); err != nil {
		return err
	}
	c.w.Put(`}`)
	return nil
}

// content writes the content of a message: one text as a string, which every
// server takes, anything more as parts.
func (c *conversation) content(path string, content []byte) error {
	switch {
	case canonical.IsString(content):
		c.w.Sibling("content", content)
		return nil
	case len(content) == 0 || content[0] != '[':
		return invalid("%s: must be a string or an array of content blocks", path)
	}
	i := 0
	var parts [][]byte
	for block := range rawjson.Elements(content) {
		if err := check(fmt.Sprintf("%s[%d]", path, i), block); err != nil {
			return err
		}
		parts = append(parts, block)
		i++
	}
	return c.parts(path, parts)
}

// parts writes blocks as content.
func (c *conversation) parts(path string, blocks [][]byte) error {
	switch {
	case len(blocks) == 0:
		c.w.Put(`,"content":""`)
		return nil
	case len(blocks) == 1 && kindOf(blocks[0]) == "text" && bare(blocks[0]):
		c.w.Sibling("content", chat.Member(blocks[0], "text"))
		return nil
	}
	c.w.Put(`,"content":[`)
	for i, b := range blocks {
		c.w.Comma(i > 0)
		if err := c.w.part(path, b); err != nil {
			return err
		}
	}
	c.w.Put(`]`)
	return nil
}

// user writes the results that a user turn begins with as messages of their
// own, and then the rest.
func (c *conversation) user(path string, content []byte) error {
	if len(content) == 0 || content[0] != '[' {
		return c.plain(path+".content", "user", content)
	}
	var rest [][]byte
	results := 0
	i := 0
	for block := range rawjson.Elements(content) {
		at := fmt.Sprintf("%s.content[%d]", path, i)
		i++
		if err := check(at, block); err != nil {
			return err
		}
		if kindOf(block) != "tool_result" {
			rest = append(rest, block)
			continue
		}
		results++
		if err := c.result(at, block); err != nil {
			return err
		}
	}
	if len(rest) == 0 && results > 0 {
		return nil
	}
	c.begin("user")
	if err := c.parts(path+".content", rest); err != nil {
		return err
	}
	c.w.Put(`}`)
	return nil
}

func (c *conversation) result(path string, block []byte) error {
	id := chat.Member(block, "tool_use_id")
	if !canonical.IsText(id) {
		return invalid("%s.tool_use_id: required, a string", path)
	}
	c.begin("tool")
	c.w.Sibling("tool_call_id", id)
	if content := chat.Member(block, "content"); rawjson.IsNull(content) {
		c.w.Put(`,"content":""`)
	} else if err := c.content(path+".content", content); err != nil {
		return err
	}
	if string(chat.Member(block, "is_error")) == "true" {
		c.w.Put(`,"is_error":true`)
	}
	c.w.Sibling("cache_control", chat.Member(block, "cache_control"))
	c.w.Put(`}`)
	return nil
}
