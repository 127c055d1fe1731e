package messages

import (
	"fmt"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// assistant splits a turn into content, reasoning and calls.
func (c *conversation) assistant(path string, content []byte) error {
	if len(content) == 0 || content[0] != '[' {
		return c.plain(path+".content", "assistant", content)
	}
	var rest, calls [][]byte
	var details details
	i := 0
	for block := range rawjson.Elements(content) {
		at := fmt.Sprintf("%s.content[%d]", path, i)
		if err := check(at, block); err != nil {
			return err
		}
		switch kindOf(block) {
		case "thinking", "redacted_thinking":
			details.add(block, i)
		case "tool_use":
			calls = append(calls, block)
		default:
			rest = append(rest, block)
		}
		i++
	}
	c.begin("assistant")
	if len(rest) == 0 && len(calls) > 0 {
		c.w.Put(`,"content":null`)
	} else if err := c.parts(path+".content", rest); err != nil {
		return err
	}
	c.w.Sibling("reasoning_details", details.array())
	c.calls(calls)
	c.w.Put(`}`)
	return nil
}

func (c *conversation) calls(blocks [][]byte) {
	if len(blocks) == 0 {
		return
	}
	c.w.Put(`,"tool_calls":[`)
	for i, b := range blocks {
		c.w.Comma(i > 0)
		c.w.Put(`{"type":"function"`)
		c.w.Sibling("id", chat.Member(b, "id"))
		c.w.Put(`,"function":{"name":`)
		c.w.Raw(chat.Member(b, "name"))
		c.w.Put(`,"arguments":`)
		c.w.Buf = rawjson.AppendString(c.w.Buf, inputOf(b))
		c.w.Put(`}`)
		c.w.Sibling("cache_control", chat.Member(b, "cache_control"))
		c.w.Put(`}`)
	}
	c.w.Put(`]`)
}

func inputOf(block []byte) []byte {
	if input := chat.Member(block, "input"); !rawjson.IsNull(input) {
		return input
	}
	return []byte(`{}`)
}
