package openai

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// delta reads a delta or a message. Every member may be null or absent.
func (d *decoder) delta(c *rawjson.Cursor, ev *chat.Event) {
	if !c.Object() {
		c.Skip()
		return
	}
	var alias chat.Literal
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "content":
			ev.Content = contentOf(c.Raw())
		case "reasoning":
			ev.Reasoning = c.Str()
		case "reasoning_content":
			alias = c.Str()
		case "reasoning_details":
			ev.Details = array(c.Raw())
		case "refusal":
			ev.Refusal = c.Str()
		case "tool_calls":
			d.toolCalls(c)
		case "annotations":
			ev.Annotations = array(c.Raw())
		case "images":
			ev.Images = array(c.Raw())
		case "audio":
			ev.Audio = notNull(c.Raw())
		default:
			c.Skip()
		}
	}
	// Some servers send the same text under both names: never both.
	if len(ev.Reasoning) <= 2 {
		ev.Reasoning = alias
	}
}

// contentOf returns content as a literal; the parts that some servers answer
// with are joined.
func contentOf(raw []byte) chat.Literal {
	if len(raw) == 0 || raw[0] == '"' {
		return raw
	}
	if raw[0] != '[' {
		return nil
	}
	out := []byte{'"'}
	var c rawjson.Cursor
	c.Reset(raw)
	for c.Array(); c.Elem(); {
		out = append(out, rawjson.Inner(chat.Member(c.Raw(), "text"))...)
	}
	return append(out, '"')
}

// array returns raw if it is an array with something in it.
func array(raw []byte) []byte {
	if len(raw) <= 2 || raw[0] != '[' {
		return nil
	}
	return raw
}

func (d *decoder) toolCalls(c *rawjson.Cursor) {
	if !c.Array() {
		c.Skip()
		return
	}
	for c.Elem() {
		if !c.Object() {
			c.Skip()
			continue
		}
		t := chat.ToolDelta{Index: -1}
		for key, ok := c.Key(); ok; key, ok = c.Key() {
			switch string(key) {
			case "index":
				if n, ok := c.Int(); ok && n >= 0 && n < 1<<16 {
					t.Index = int(n)
				}
			case "id":
				t.ID = filled(c.Str())
			case "function":
				function(c, &t)
			default:
				c.Skip()
			}
		}
		d.tools = append(d.tools, t)
	}
}

func function(c *rawjson.Cursor, t *chat.ToolDelta) {
	if !c.Object() {
		c.Skip()
		return
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "name":
			t.Name = filled(c.Str())
		case "arguments":
			raw := c.Raw()
			switch {
			case rawjson.IsNull(raw):
			case raw[0] == '"':
				t.Arguments = raw
			default: // an object where the API says text of an object
				t.Arguments = rawjson.AppendString(nil, raw)
			}
		default:
			c.Skip()
		}
	}
}

// filled returns nil for an empty literal.
func filled(raw []byte) chat.Literal {
	if len(raw) <= 2 {
		return nil
	}
	return raw
}

// readUsage takes in a usage object; the last one that counts something wins.
func (d *decoder) readUsage(c *rawjson.Cursor) {
	if !c.Object() {
		c.Skip()
		return
	}
	u := chat.Usage{}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "prompt_tokens":
			u.Prompt, _ = c.Int()
		case "completion_tokens":
			u.Completion, _ = c.Int()
		case "reasoning_tokens":
			if n, ok := c.Int(); ok {
				u.Reasoning = n
			}
		case "prompt_cache_hit_tokens":
			u.CacheRead, _ = c.Int()
		case "prompt_tokens_details":
			details(c, &u, false)
		case "completion_tokens_details":
			details(c, &u, true)
		case "cost":
			if raw := c.Raw(); !rawjson.IsNull(raw) && (raw[0] >= '0' && raw[0] <= '9') {
				u.Cost = string(raw)
			}
		default:
			c.Skip()
		}
	}
	if !u.Zero() {
		d.usage = u
	}
}

func details(c *rawjson.Cursor, u *chat.Usage, completion bool) {
	if !c.Object() {
		c.Skip()
		return
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		n, _ := c.Int()
		switch string(key) {
		case "cached_tokens":
			u.CacheRead = n
		case "cache_write_tokens":
			u.CacheWrite = n
		case "reasoning_tokens":
			u.Reasoning = n
		case "audio_tokens":
			if completion {
				u.CompletionAudio = n
			} else {
				u.PromptAudio = n
			}
		case "image_tokens":
			if completion {
				u.CompletionImage = n
			}
		}
	}
}
