package gemini

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Decoder implements codec.Adapter.
func (a *Adapter) Decoder() codec.Decoder { return &decoder{} }

// decoder holds what must be remembered from chunk to chunk of one answer.
type decoder struct {
	candidates []candidate // by their index
	usage      chat.Usage
	searches   int64 // of the web, by the provider
	names      callNames
	done       bool

	// scratch of the current call
	buf   []byte
	tools []chat.ToolDelta
}

// candidate counts what one candidate has brought so far.
type candidate struct {
	seen, finished bool
	calls          int
	images         int
	citations      int
	// details is the number of reasoning blocks; while thinking, the last of
	// them goes on.
	details  int
	thinking bool
}

// maxCandidates bounds the indexes that an answer may have.
const maxCandidates = 64

// Event implements codec.Decoder. Every event is a complete response object; an
// error may be wrapped in an array.
func (d *decoder) Event(name, data []byte, out []chat.Event) ([]chat.Event, error) {
	d.buf, d.tools = d.buf[:0], d.tools[:0]
	switch {
	case string(data) == "[DONE]": // Google sends none, imitators do
		return d.EOF(out)
	case string(name) == "error":
		return out, inBand(data)
	}
	return d.chunks(data, out)
}

// Body implements codec.Decoder. A stream without alt=sse is one array.
func (d *decoder) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	d.buf, d.tools = d.buf[:0], d.tools[:0]
	out, err := d.chunks(bytes.TrimSpace(body), out)
	if err != nil {
		return out, err
	}
	return d.EOF(out)
}

// EOF implements codec.Decoder. Only the end shows that no other candidate
// follows.
func (d *decoder) EOF(out []chat.Event) ([]chat.Event, error) {
	if d.done {
		return out, nil
	}
	if !d.complete() {
		return out, unreadable("The upstream ended the answer before it was complete", nil)
	}
	d.done = true
	return append(out, chat.Event{Done: true}), nil
}

// complete reports whether each candidate that was begun has finished.
func (d *decoder) complete() bool {
	n := 0
	for i := range d.candidates {
		if d.candidates[i].seen {
			n++
			if !d.candidates[i].finished {
				return false
			}
		}
	}
	return n > 0
}

func (d *decoder) chunks(data []byte, out []chat.Event) ([]chat.Event, error) {
	var c rawjson.Cursor
	c.Reset(data)
	if !c.Array() {
		return d.chunk(data, out)
	}
	for c.Elem() {
		raw := c.Raw()
		if raw == nil {
			break
		}
		var err error
		if out, err = d.chunk(raw, out); err != nil {
			return out, err
		}
	}
	if err := c.End(); err != nil {
		return out, unreadable("The upstream's answer is not valid JSON", err)
	}
	return out, nil
}

// chunk decodes one response object.
func (d *decoder) chunk(data []byte, out []chat.Event) ([]chat.Event, error) {
	base := len(out)
	var meta chat.Event
	var block, failure []byte
	var c rawjson.Cursor
	c.Reset(data)
	if !c.Object() {
		return out, unreadable("The upstream's answer is not a JSON object", nil)
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		switch string(key) {
		case "candidates":
			out = d.readCandidates(&c, data, out)
		case "usageMetadata":
			d.readUsage(&c, &meta)
		case "responseId":
			meta.ID = c.Str()
		case "promptFeedback":
			block = chat.Member(c.Raw(), "blockReason")
		case "error":
			failure = c.Raw()
		default:
			c.Skip()
		}
	}
	if err := c.End(); err != nil {
		return out[:base], unreadable("The upstream's answer is not valid JSON", err)
	}
	if !rawjson.IsNull(failure) {
		return out, inBand(data)
	}
	if len(out) == base {
		out = append(out, chat.Event{})
	}
	last := &out[len(out)-1]
	last.ID, last.ServiceTier = meta.ID, meta.ServiceTier
	if !d.usage.Zero() {
		d.usage.WebSearches = d.searches
		last.Usage = &d.usage
	}
	if !rawjson.IsNull(block) {
		return out, fault.New(fault.ContentFilter, "The upstream blocked the prompt (%s)", codec.Scrub(rawjson.Text(block)))
	}
	return out, nil
}

func unreadable(msg string, err error) error {
	return &fault.Error{Kind: fault.Unavailable, Message: msg, Err: err}
}
