package gemini

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// results appends a run of tool messages as one turn, in the order of the
// calls that they answer: Google counts and pairs them. The first of them is
// message i.
func (c *contents) results(run []chat.Message, i int) error {
	c.loose = c.loose[:0]
	calls := c.known[c.last:]
	for n := range calls {
		if m := answerTo(&calls[n], run); m >= 0 {
			if err := c.result(&run[m], &calls[n], i+m); err != nil {
				return err
			}
			run[m].Role = 0 // taken
		}
	}
	for m := range run {
		if run[m].Role != chat.RoleTool {
			continue
		}
		call := c.find(run[m].CallID)
		if call == nil {
			return fault.New(fault.InvalidRequest, "messages[%d].tool_call_id: no earlier assistant message has a tool call with the id %s", i+m, run[m].CallID)
		}
		if err := c.result(&run[m], call, i+m); err != nil {
			return err
		}
	}
	if len(c.loose) > 0 {
		c.begin(resultTurn)
		c.dst = append(c.dst, c.loose[1:]...)
	}
	return nil
}

// answerTo returns the index of the first message of the run that answers a
// call, -1 if none does.
func answerTo(call *chat.Call, run []chat.Message) int {
	for m := range run {
		if run[m].Role == chat.RoleTool && bytes.Equal(run[m].CallID, call.ID) {
			return m
		}
	}
	return -1
}

// find returns the latest call with an id. OpenAI's tool messages do not say
// the function's name, which Google wants.
func (c *contents) find(id chat.Literal) *chat.Call {
	for n := len(c.known) - 1; n >= 0; n-- {
		if bytes.Equal(c.known[n].ID, id) {
			return &c.known[n]
		}
	}
	return nil
}

// result appends one tool message.
func (c *contents) result(m *chat.Message, call *chat.Call, i int) error {
	c.begin(resultTurn)
	c.dst = append(c.dst, `{"functionResponse":{"name":`...)
	c.dst = appendName(c.dst, call.Name)
	if len(call.ID) > 2 && !c.anonymous {
		c.dst = appendMember(c.dst, "id", call.ID)
	}
	c.dst = appendOutput(appendKey(c.dst, "response"), m, outputOf(m, c.inputs))
	var media []byte
	for j := range m.Parts {
		p := &m.Parts[j]
		if p.Type == chat.PartText || p.Type == chat.PartRefusal || chat.Foreign(p.Raw) || chat.MediaNote(p.Raw, c.inputs) != nil {
			continue
		}
		var err error
		if media, err = appendMedia(append(media, ','), p, c.family); err != nil {
			return at(err, i, j)
		}
	}
	c.dst = append(c.placeMedia(media), '}', '}')
	return nil
}

// placeMedia puts a result's images into it, or behind all results where the
// model does not look for them there.
func (c *contents) placeMedia(media []byte) []byte {
	if len(media) == 0 || !c.family.since(30) {
		c.loose = append(c.loose, media...)
		return c.dst
	}
	media[0] = '['
	return append(appendMember(c.dst, "parts", media), ']')
}

// outputOf returns the text of a tool message.
func outputOf(m *chat.Message, inputs chat.Feature) chat.Literal {
	if m.Text != nil {
		return m.Text
	}
	out := []byte{'"'}
	for j := range m.Parts {
		text := m.Parts[j].Text
		if text == nil && chat.Foreign(m.Parts[j].Raw) {
			text = chat.ForeignText(m.Parts[j].Raw)
		} else if text == nil {
			text = chat.MediaNote(m.Parts[j].Raw, inputs)
		}
		if len(text) <= 2 {
			continue
		}
		if len(out) > 1 {
			out = append(out, `\n`...)
		}
		out = append(out, rawjson.Inner(text)...)
	}
	return append(out, '"')
}

// appendOutput appends a tool's output, which must be an object: any other
// text is wrapped, and so is that of a call that failed.
func appendOutput(dst []byte, m *chat.Message, text chat.Literal) []byte {
	failed := string(chat.Member(m.Raw, "is_error")) == "true"
	raw := rawjson.Unquote(nil, text)
	switch {
	case failed:
		dst = append(dst, `{"error":`...)
	case chat.IsObject(raw):
		return append(dst, raw...)
	default:
		dst = append(dst, `{"result":`...)
	}
	return append(append(dst, text...), '}')
}
