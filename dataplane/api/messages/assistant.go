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
		c.w.put(`,"content":null`)
	} else if err := c.parts(path+".content", rest); err != nil {
		return err
	}
	c.w.sibling("reasoning_details", details.array())
	c.calls(calls)
	c.w.put(`}`)
	return nil
}

func (c *conversation) calls(blocks [][]byte) {
	if len(blocks) == 0 {
		return
	}
	c.w.put(`,"tool_calls":[`)
	for i, b := range blocks {
		c.w.comma(i > 0)
		c.w.put(`{"type":"function"`)
		c.w.sibling("id", chat.Member(b, "id"))
		c.w.put(`,"function":{"name":`)
		c.w.raw(chat.Member(b, "name"))
		c.w.put(`,"arguments":`)
		c.w.dst = rawjson.AppendString(c.w.dst, inputOf(b))
		c.w.put(`}`)
		c.w.sibling("cache_control", chat.Member(b, "cache_control"))
		c.w.put(`}`)
	}
	c.w.put(`]`)
}

func inputOf(block []byte) []byte {
	if input := chat.Member(block, "input"); !rawjson.IsNull(input) {
		return input
	}
	return []byte(`{}`)
}
