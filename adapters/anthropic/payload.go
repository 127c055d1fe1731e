package anthropic

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// payload holds the members of a stream event or a message that matter, raw.
type payload struct {
	// kind is the inside of the type.
	kind  []byte
	index int

	delta, block, message, usage []byte

	id, content, stopReason, stopDetails []byte

	// failed: there is a member that only errors have.
	failed bool
}

// read takes an object apart in one pass.
func (p *payload) read(data []byte) error {
	*p = payload{}
	var c rawjson.Cursor
	c.Reset(data)
	if !c.Object() {
		p.failed = true // an array around an error, or no JSON at all
		return rawjson.Valid(data)
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "type":
			p.kind = rawjson.Inner(c.Raw())
		case "index":
			n, _ := c.Int()
			p.index = int(n)
		case "delta":
			p.delta = c.Raw()
		case "content_block":
			p.block = c.Raw()
		case "message":
			p.message = c.Raw()
		case "usage":
			p.usage = c.Raw()
		case "id":
			p.id = c.Str()
		case "content":
			p.content = c.Raw()
		case "stop_reason":
			p.stopReason = c.Str()
		case "stop_details":
			p.stopDetails = c.Raw()
		case "error", "Error", "detail":
			p.failed = p.failed || !rawjson.IsNull(c.Raw())
		default:
			c.Skip()
		}
	}
	return c.End()
}

// piece holds the members of a content block or of a delta.
type piece struct {
	kind                                  []byte
	text, thinking, signature, data, json []byte
	id, name, input, citation, citations  []byte
	stopReason, stopDetails               []byte
}

func (p *piece) read(raw []byte) {
	*p = piece{}
	var c rawjson.Cursor
	c.Reset(raw)
	if !c.Object() {
		return
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "type":
			p.kind = rawjson.Inner(c.Raw())
		case "text":
			p.text = c.Str()
		case "thinking":
			p.thinking = c.Str()
		case "signature":
			p.signature = c.Str()
		case "data":
			p.data = c.Str()
		case "partial_json":
			p.json = c.Str()
		case "id":
			p.id = c.Str()
		case "name":
			p.name = c.Str()
		case "input":
			p.input = c.Raw()
		case "citation":
			p.citation = c.Raw()
		case "citations":
			p.citations = c.Raw()
		case "stop_reason":
			p.stopReason = c.Str()
		case "stop_details":
			p.stopDetails = c.Raw()
		default:
			c.Skip()
		}
	}
}

// readUsage takes in a usage object. Later ones repeat some of the counts of
// the first and leave out or zero the others.
func (d *decoder) readUsage(raw []byte) {
	var c rawjson.Cursor
	c.Reset(raw)
	if !c.Object() {
		return
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "input_tokens":
			count(&c, &d.input)
		case "output_tokens":
			count(&c, &d.usage.Completion)
		case "cache_read_input_tokens":
			count(&c, &d.usage.CacheRead)
		case "cache_creation_input_tokens":
			count(&c, &d.usage.CacheWrite)
		case "cache_creation":
			if n := chat.Tokens(chat.Member(c.Raw(), "ephemeral_1h_input_tokens")); n > 0 {
				d.usage.CacheWrite1h = n
			}
		case "server_tool_use":
			d.serverTools(c.Raw())
		case "service_tier":
			d.tier = append(d.tier[:0], tierOf(c.Str())...)
		case "output_tokens_details":
			d.usage.Reasoning = chat.Tokens(chat.Member(c.Raw(), "thinking_tokens"))
		default:
			c.Skip()
		}
	}
	d.usage.Prompt = d.input + d.usage.CacheRead + d.usage.CacheWrite
}

// serverTools reads how often the provider's own tools were called.
func (d *decoder) serverTools(raw []byte) {
	others := int64(0)
	for key, val := range rawjson.Members(raw) {
		switch n := chat.Tokens(val); string(key) {
		case "web_search_requests":
			d.usage.WebSearches = max(d.usage.WebSearches, n)
		default:
			others += n
		}
	}
	d.usage.ServerTools = max(d.usage.ServerTools, others)
}

// tierOf gives Anthropic's usual tier the name that OpenAI has for its own.
func tierOf(raw []byte) chat.Literal {
	if string(raw) == `"standard"` {
		return chat.Literal(`"default"`)
	}
	return raw
}

func count(c *rawjson.Cursor, into *int64) {
	if n := chat.Tokens(c.Raw()); n > 0 {
		*into = n
	}
}
