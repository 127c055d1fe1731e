package anthropic

import (
	"bytes"
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// turn is a message as the API wants it: roles alternate, an assistant's text
// comes before its calls, and the results of all its calls open the user turn
// that follows.
type turn struct {
	assistant bool
	thoughts  []thought
	body      []block
	calls     []toolUse
}

// block is a piece of a turn, in the place that the client gave it.
type block struct {
	// text is the literal of a text block, nil for a part.
	text []byte
	// entire means that text was the message's entire content.
	entire bool
	part   *chat.Part
	cache  []byte
	// system is set for an instruction that came later than the system prompt.
	system bool
}

// toolUse is a call and the message that answers it, nil if there is none.
type toolUse struct {
	id     string
	call   *chat.Call
	answer *chat.Message
}

// talk is a conversation put in the API's order.
type talk struct {
	system []block
	turns  []turn
	ids    ids
}

func (t *talk) add(m *chat.Message) {
	switch m.Role {
	case chat.RoleSystem, chat.RoleDeveloper:
		t.addSystem(blocksOf(m))
	case chat.RoleUser:
		u := t.last(false)
		u.body = append(u.body, blocksOf(m)...)
	case chat.RoleAssistant:
		t.addAssistant(m)
	case chat.RoleTool:
		t.addResult(m)
	}
}

// addSystem takes the leading run for the system prompt. A later message stays
// where it is: what precedes it is unchanged and can be cached.
func (t *talk) addSystem(blocks []block) {
	if len(t.turns) == 0 {
		t.system = append(t.system, blocks...)
		return
	}
	for i := range blocks {
		if blocks[i].text == nil {
			continue // media can only be the user's
		}
		blocks[i].system = true
	}
	u := t.last(false)
	u.body = append(u.body, blocks...)
}

// last returns the turn that a message of this side belongs to.
func (t *talk) last(assistant bool) *turn {
	if n := len(t.turns); n > 0 && t.turns[n-1].assistant == assistant && !t.turns[n-1].answered() {
		return &t.turns[n-1]
	}
	t.turns = append(t.turns, turn{assistant: assistant})
	return &t.turns[len(t.turns)-1]
}

// answered reports whether results came in: then the turn is over.
func (u *turn) answered() bool {
	for i := range u.calls {
		if u.calls[i].answer != nil {
			return true
		}
	}
	return false
}

func (t *talk) addAssistant(m *chat.Message) {
	u := t.last(true)
	u.thoughts = append(u.thoughts, thoughtsOf(m.Details)...)
	u.body = append(u.body, blocksOf(m)...)
	if !blank(m.Refusal) {
		u.body = append(u.body, block{text: m.Refusal})
	}
	for range m.Images {
		u.body = append(u.body, block{text: []byte(`"` + chat.ImageNote + `"`)})
	}
	for i := range m.Calls {
		u.calls = append(u.calls, toolUse{id: t.ids.take(m.Calls[i].ID), call: &m.Calls[i]})
	}
}

// addResult gives a result to the latest call with its id that waits for one.
// A second result for the same call is dropped, since the API refuses it.
func (t *talk) addResult(m *chat.Message) {
	for _, u := range slices.Backward(t.turns) {
		for j := range u.calls {
			use := &u.calls[j]
			if !bytes.Equal(use.call.ID, m.CallID) {
				continue
			}
			if use.answer == nil {
				use.answer = m
			}
			return
		}
	}
	// the call was cut off from the conversation: its result is news from the user
	u := t.last(false)
	u.body = append(u.body, block{text: []byte(`"Result of an earlier tool call:"`)})
	u.body = append(u.body, blocksOf(m)...)
}

// hasTools reports whether calls occur, for which the API wants definitions.
func (t *talk) hasTools() bool {
	for i := range t.turns {
		if len(t.turns[i].calls) > 0 {
			return true
		}
	}
	return false
}

// lostThoughts reports whether the conversation is within a tool loop whose
// thinking the client did not send back.
func (t *talk) lostThoughts() bool {
	for _, u := range slices.Backward(t.turns) {
		if u.assistant {
			return len(u.calls) > 0 && len(u.thoughts) == 0
		}
	}
	return false
}

// settle makes the turns alternate, begin with the user and end in a way that
// the model takes up. thinking says whether thinking blocks will be sent.
func (t *talk) settle(thinking, prefill bool) {
	kept := t.turns[:0]
	for _, u := range t.turns {
		if !thinking {
			u.thoughts = nil
		}
		if len(u.body) == 0 && len(u.calls) == 0 && (len(u.thoughts) == 0 || !u.assistant) {
			continue
		}
		if n := len(kept); n > 0 && kept[n-1].assistant == u.assistant && len(kept[n-1].calls) == 0 {
			kept[n-1].merge(u)
			continue
		}
		kept = append(kept, u)
	}
	t.turns = kept
	if len(t.turns) == 0 || t.turns[0].assistant {
		t.turns = append([]turn{{body: []block{{text: []byte(`"(The conversation begins.)"`), entire: true}}}}, t.turns...)
	}
	t.end(prefill)
}

func (u *turn) merge(v turn) {
	u.thoughts = append(u.thoughts, v.thoughts...)
	u.body = append(u.body, v.body...)
	u.calls = append(u.calls, v.calls...)
	for i := range u.body {
		u.body[i].entire = false
	}
}

// end takes care of a conversation that the assistant spoke last in. Calls get
// their results when the turn is written.
func (t *talk) end(prefill bool) {
	u := &t.turns[len(t.turns)-1]
	if !u.assistant || len(u.calls) > 0 {
		return
	}
	if prefill && len(u.body) > 0 {
		if b := &u.body[len(u.body)-1]; b.text != nil {
			b.text = trimRight(b.text)
		}
		return
	}
	t.turns = append(t.turns, turn{body: []block{{text: []byte(`"(Continue your last message from where it ends, without repeating any of it.)"`), entire: true}}})
}

// trimRight removes white space at the end of a literal, which the API refuses
// in a prefill.
func trimRight(literal []byte) []byte {
	text := rawjson.Unquote(nil, literal)
	trimmed := bytes.TrimRight(text, " \t\r\n")
	if len(trimmed) == len(text) {
		return literal
	}
	return rawjson.AppendString(nil, trimmed)
}

// blocksOf returns a message's content less what is empty: the API refuses
// texts without any letter in them. The message's cache_control goes to its
// last block.
func blocksOf(m *chat.Message) []block {
	var out []block
	if !blank(m.Text) {
		out = append(out, block{text: m.Text, entire: true})
	}
	for i := range m.Parts {
		p := &m.Parts[i]
		switch p.Type {
		case chat.PartText, chat.PartRefusal:
			if !blank(p.Text) {
				out = append(out, block{text: p.Text, part: p, cache: p.CacheControl})
			}
		default:
			out = append(out, block{part: p, cache: p.CacheControl})
		}
	}
	if n := len(out); n > 0 && out[n-1].cache == nil {
		out[n-1].cache = m.CacheControl
	}
	return out
}

// blank reports whether a literal is absent or holds nothing but white space.
func blank(literal []byte) bool {
	in := rawjson.Inner(literal)
	for i := 0; i < len(in); i++ {
		if in[i] == '\\' {
			if i++; !bytes.ContainsRune([]byte("ntr"), rune(in[i])) {
				return false
			}
		} else if in[i] != ' ' {
			return false
		}
	}
	return true
}
