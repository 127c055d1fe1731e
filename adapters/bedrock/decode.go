package bedrock

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/eventstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Decoder implements codec.Adapter.
func (a *Adapter) Decoder() codec.Decoder { return &decoder{inner: a.inner.Decoder(), open: -1} }

// decoder gives Converse's events the names that Anthropic's decoder knows.
type decoder struct {
	inner codec.Decoder
	// open is the index of the block that has begun, -1 for none: only calls are
	// announced.
	open int64
	buf  []byte
}

// Event implements codec.Decoder.
func (d *decoder) Event(name, data []byte, out []chat.Event) ([]chat.Event, error) {
	if kind, ok := strings.CutPrefix(string(name), eventstream.Exception); ok {
		return out, exception(kind, data)
	}
	if err := rawjson.Valid(data); err != nil {
		return out, unreadable(err)
	}
	d.buf = d.buf[:0]
	switch string(name) {
	case "contentBlockStart":
		return d.start(data, out)
	case "contentBlockDelta":
		return d.delta(data, out)
	case "contentBlockStop":
		d.open = -1
		return d.say(out, `{"type":"content_block_stop"}`)
	case "messageStop":
		return d.stop(chat.Member(data, "stopReason"), out)
	case "metadata":
		return d.end(data, out)
	}
	return out, nil // messageStart, or a kind of event that is new
}

// say passes an event on to Anthropic's decoder. The bytes of earlier ones stay.
func (d *decoder) say(out []chat.Event, pieces ...string) ([]chat.Event, error) {
	mark := len(d.buf)
	for _, p := range pieces {
		d.buf = append(d.buf, p...)
	}
	return d.inner.Event(nil, d.buf[mark:], out)
}

func (d *decoder) start(data []byte, out []chat.Event) ([]chat.Event, error) {
	use := chat.Member(chat.Member(data, "start"), "toolUse")
	if use == nil {
		return out, nil
	}
	d.open = indexOf(data)
	return d.say(out, `{"type":"content_block_start","index":`, strconv.FormatInt(d.open, 10), `,"content_block":`, toolUse(use), `}`)
}

func indexOf(data []byte) int64 {
	n, _ := rawjson.Int(chat.Member(data, "contentBlockIndex"))
	return n
}

func toolUse(use []byte) string {
	return `{"type":"tool_use","id":` + orEmpty(chat.Member(use, "toolUseId")) + `,"name":` + orEmpty(chat.Member(use, "name")) + `,"input":` + object(chat.Member(use, "input")) + `}`
}

// orEmpty returns a literal, and the empty one in the place of what is none.
func orEmpty(raw []byte) string {
	if len(raw) > 0 && raw[0] == '"' {
		return string(raw)
	}
	return `""`
}

func object(raw []byte) string {
	if len(raw) > 0 && raw[0] == '{' {
		return string(raw)
	}
	return "{}"
}

// delta reads a piece of a block, which begins the block if nothing else has.
func (d *decoder) delta(data []byte, out []chat.Event) ([]chat.Event, error) {
	kind, piece := pieceOf(chat.Member(data, "delta"))
	if kind == "" {
		return out, nil
	}
	index := indexOf(data)
	if d.open != index {
		d.open = index
		block := `{"type":"text","text":""}`
		if kind != "text" {
			block = `{"type":"thinking","thinking":""}`
		}
		var err error
		if out, err = d.say(out, `{"type":"content_block_start","index":`, strconv.FormatInt(index, 10), `,"content_block":`, block, `}`); err != nil {
			return out, err
		}
	}
	if kind == "redacted" { // comes at once
		return d.say(out, `{"type":"content_block_start","index":`, strconv.FormatInt(index, 10), `,"content_block":`, piece, `}`)
	}
	return d.say(out, `{"type":"content_block_delta","index":`, strconv.FormatInt(index, 10), `,"delta":`, piece, `}`)
}

// pieceOf returns a delta in Anthropic's form; "" for one that says nothing.
func pieceOf(delta []byte) (kind, piece string) {
	reasoning := chat.Member(delta, "reasoningContent")
	for _, f := range []struct {
		kind, before string
		raw          []byte
	}{
		{"text", `{"type":"text_delta","text":`, chat.Member(delta, "text")},
		{"tool", `{"type":"input_json_delta","partial_json":`, chat.Member(chat.Member(delta, "toolUse"), "input")},
		{"thinking", `{"type":"thinking_delta","thinking":`, chat.Member(reasoning, "text")},
		{"thinking", `{"type":"signature_delta","signature":`, chat.Member(reasoning, "signature")},
		{"redacted", `{"type":"redacted_thinking","data":`, chat.Member(reasoning, "redactedContent")},
	} {
		if len(f.raw) > 2 && f.raw[0] == '"' {
			return f.kind, f.before + string(f.raw) + `}`
		}
	}
	return "", ""
}

func (d *decoder) stop(reason []byte, out []chat.Event) ([]chat.Event, error) {
	word := rawjson.Text(reason)
	if strings.HasPrefix(word, "malformed_") {
		return out, fault.New(fault.Unavailable, "The upstream broke off the answer (%s)", word)
	}
	return d.say(out, `{"type":"message_delta","delta":{"stop_reason":`, orEmpty(reason), `}}`)
}

// end reads the last event, which has the usage.
func (d *decoder) end(data []byte, out []chat.Event) ([]chat.Event, error) {
	out, err := d.say(out, `{"type":"message_delta","delta":{},"usage":`, usage(chat.Member(data, "usage")), `}`)
	if err != nil {
		return out, err
	}
	n := len(out)
	if out, err = d.inner.EOF(out); err == nil && len(out) == n {
		return out, nil
	}
	return out, err
}

// usage renames the counts. Both leave what was cached out of the input.
func usage(u []byte) string {
	out := []byte{'{'}
	for _, f := range []struct{ theirs, ours string }{
		{"inputTokens", "input_tokens"},
		{"outputTokens", "output_tokens"},
		{"cacheReadInputTokens", "cache_read_input_tokens"},
		{"cacheWriteInputTokens", "cache_creation_input_tokens"},
	} {
		if n := chat.Member(u, f.theirs); n != nil {
			out = member(out, f.ours, n)
		}
	}
	for item := range rawjson.Elements(chat.Member(u, "cacheDetails")) {
		if n := chat.Member(item, "inputTokens"); n != nil && string(chat.Member(item, "ttl")) == `"1h"` {
			out = append(member(out, "cache_creation", []byte(`{"ephemeral_1h_input_tokens":`)), n...)
			out = append(out, '}')
		}
	}
	return strings.Replace(string(out), "{,", "{", 1) + "}"
}

// Body implements codec.Decoder.
func (d *decoder) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	body = bytes.TrimSpace(body)
	if err := rawjson.Valid(body); err != nil {
		return out, unreadable(err)
	}
	message := chat.Member(chat.Member(body, "output"), "message")
	content := chat.Member(message, "content")
	reason := chat.Member(body, "stopReason")
	if len(content) == 0 || content[0] != '[' || reason == nil {
		return out, unreadable(nil)
	}
	if word := rawjson.Text(reason); strings.HasPrefix(word, "malformed_") {
		return out, fault.New(fault.Unavailable, "The upstream broke off the answer (%s)", word)
	}
	d.buf = append(d.buf[:0], `{"type":"message","role":"assistant","content":[`...)
	mark := len(d.buf)
	for block := range rawjson.Elements(content) {
		if text := blockOf(block); text != "" {
			if len(d.buf) > mark {
				d.buf = append(d.buf, ',')
			}
			d.buf = append(d.buf, text...)
		}
	}
	d.buf = append(append(d.buf, `],"stop_reason":`...), orEmpty(reason)...)
	d.buf = append(append(append(d.buf, `,"usage":`...), usage(chat.Member(body, "usage"))...), '}')
	return d.inner.Body(d.buf, out)
}

// blockOf returns a block of a unary answer in Anthropic's form, "" for kinds
// that it has none for.
func blockOf(block []byte) string {
	reasoning := chat.Member(block, "reasoningContent")
	switch text, use := chat.Member(block, "text"), chat.Member(block, "toolUse"); {
	case len(text) > 0:
		return `{"type":"text","text":` + orEmpty(text) + `}`
	case use != nil:
		return toolUse(use)
	case chat.Member(reasoning, "redactedContent") != nil:
		return `{"type":"redacted_thinking","data":` + orEmpty(chat.Member(reasoning, "redactedContent")) + `}`
	case chat.Member(reasoning, "reasoningText") != nil:
		t := chat.Member(reasoning, "reasoningText")
		return `{"type":"thinking","thinking":` + orEmpty(chat.Member(t, "text")) + `,"signature":` + orEmpty(chat.Member(t, "signature")) + `}`
	}
	return ""
}

// EOF implements codec.Decoder. After the stop reason no part of an answer is
// missing but its usage.
func (d *decoder) EOF(out []chat.Event) ([]chat.Event, error) { return d.inner.EOF(out) }

func unreadable(err error) error {
	return &fault.Error{Kind: fault.Unavailable, Message: "The upstream's answer is not valid", Err: err}
}
