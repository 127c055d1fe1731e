package anthropic

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// writeSystem writes the system prompt: one text, or blocks if the client gave
// parts, which may carry cache_control.
func (d *draft) writeSystem() error {
	blocks := d.talk.system
	if len(blocks) == 0 || !d.member("system") {
		return nil
	}
	entire := true
	for i := range blocks {
		if blocks[i].text == nil {
			return invalid("A system message can hold text only")
		}
		entire = entire && blocks[i].entire && blocks[i].cache == nil
	}
	if !entire {
		return d.writeBlocks(blocks)
	}
	d.put(`"`)
	for i := range blocks {
		if i > 0 {
			d.put(`\n\n`)
		}
		d.putRaw(rawjson.Inner(blocks[i].text))
	}
	d.put(`"`)
	return nil
}

func (d *draft) writeMessages() error {
	if !d.member("messages") {
		return nil
	}
	d.put(`[`)
	mark := len(d.body)
	turns := d.talk.turns
	for i := 0; i < len(turns); i++ {
		d.comma(mark)
		u := &turns[i]
		if !u.assistant {
			if err := d.writeUser(nil, u.body); err != nil {
				return err
			}
			continue
		}
		if err := d.writeAssistant(u); err != nil {
			return err
		}
		if len(u.calls) == 0 {
			continue
		}
		var body []block
		if i+1 < len(turns) && !turns[i+1].assistant {
			i++
			body = turns[i].body
		}
		d.put(`,`)
		if err := d.writeUser(u.calls, body); err != nil {
			return err
		}
	}
	d.put(`]`)
	return nil
}

// writeAssistant writes thoughts, content and calls, in the only order that
// the API takes.
func (d *draft) writeAssistant(u *turn) error {
	d.put(`{"role":"assistant","content":`)
	if len(u.thoughts) == 0 && len(u.calls) == 0 {
		if err := d.writeBlocks(u.body); err != nil {
			return err
		}
		d.put(`}`)
		return nil
	}
	d.put(`[`)
	mark := len(d.body)
	for i := range u.thoughts {
		d.comma(mark)
		d.body = u.thoughts[i].append(d.body)
	}
	for i := range u.body {
		d.comma(mark)
		if err := d.writeBlock(&u.body[i]); err != nil {
			return err
		}
	}
	for i := range u.calls {
		d.comma(mark)
		d.writeCall(&u.calls[i])
	}
	d.put(`]}`)
	return nil
}

// writeUser writes a user turn that begins with the results of the calls
// before it, and the system message that it ends with. Every turn but the last
// is followed by the assistant's.
func (d *draft) writeUser(calls []toolUse, body []block) error {
	body, system := d.splitSystem(body, len(calls) > 0)
	if err := d.writeUserBlocks(calls, body); err != nil {
		return err
	}
	if len(system) == 0 {
		return nil
	}
	d.put(`,{"role":"system","content":`)
	if err := d.writeBlocks(system); err != nil {
		return err
	}
	d.put(`}`)
	return nil
}

// splitSystem parts the system blocks at the end of a turn from the rest, if
// the model takes them there: behind what the user said or tools returned. Any
// other system block becomes the user's, marked as what it is.
func (d *draft) splitSystem(body []block, results bool) (user, system []block) {
	at := len(body)
	for at > 0 && body[at-1].system {
		at--
	}
	if d.a.traits.SystemMessages != "anywhere" || at == 0 && !results {
		at = len(body)
	}
	user, system = body[:at], body[at:]
	for i := range user {
		if b := &user[i]; b.system {
			b.text = append(append(append([]byte{'"'}, chat.Instruction...), rawjson.Inner(b.text)...), '"')
			b.part, b.system = nil, false
		}
	}
	if len(system) > 1 {
		for i := range system {
			system[i].entire = false
		}
	}
	return user, system
}

func (d *draft) writeUserBlocks(calls []toolUse, body []block) error {
	d.put(`{"role":"user","content":`)
	if len(calls) == 0 {
		if err := d.writeBlocks(body); err != nil {
			return err
		}
		d.put(`}`)
		return nil
	}
	d.put(`[`)
	mark := len(d.body)
	for i := range calls {
		d.comma(mark)
		if err := d.writeResult(&calls[i]); err != nil {
			return err
		}
	}
	for i := range body {
		d.comma(mark)
		if err := d.writeBlock(&body[i]); err != nil {
			return err
		}
	}
	d.put(`]}`)
	return nil
}

// writeBlocks writes content as the client gave it: a string or an array.
func (d *draft) writeBlocks(blocks []block) error {
	if len(blocks) == 1 && blocks[0].entire && blocks[0].cache == nil {
		d.putRaw(blocks[0].text)
		return nil
	}
	d.put(`[`)
	for i := range blocks {
		if i > 0 {
			d.put(`,`)
		}
		if err := d.writeBlock(&blocks[i]); err != nil {
			return err
		}
	}
	d.put(`]`)
	return nil
}

func (d *draft) writeBlock(b *block) error {
	if b.part == nil {
		d.put(`{"type":"text","text":`).putRaw(b.text)
	} else {
		var err error
		if d.body, err = d.appendPart(d.body, b.part); err != nil {
			return err
		}
	}
	d.cache(b.cache)
	d.put(`}`)
	return nil
}

func (d *draft) writeCall(use *toolUse) {
	d.put(`{"type":"tool_use","id":`).putText(use.id).put(`,"name":`)
	if name := use.call.Name; len(name) > 2 {
		d.putRaw(name)
	} else {
		d.put(`"unknown"`)
	}
	d.put(`,"input":`)
	d.body = chat.AppendArguments(d.body, use.call.Arguments)
	d.cache(chat.Member(use.call.Raw, "cache_control"))
	d.put(`}`)
}

// writeResult writes the answer to a call. A call that was never answered gets
// an error in its place: without any result the request is refused.
func (d *draft) writeResult(use *toolUse) error {
	d.put(`{"type":"tool_result","tool_use_id":`).putText(use.id)
	if use.answer == nil {
		d.put(`,"content":"The call was not executed.","is_error":true}`)
		return nil
	}
	m := use.answer
	mark := m.CacheControl
	plain := *m
	plain.CacheControl = nil // it belongs to the result, not to the text in it
	blocks := blocksOf(&plain)
	for i := range blocks {
		if b := &blocks[i]; b.part != nil {
			if note := chat.MediaNote(b.part.Raw, d.a.inputs()); note != nil {
				b.text, b.part = note, nil
			}
		}
	}
	if len(blocks) > 0 {
		d.put(`,"content":`)
		if err := d.writeBlocks(blocks); err != nil {
			return err
		}
	}
	if string(chat.Member(m.Raw, "is_error")) == "true" {
		d.put(`,"is_error":true`)
	}
	d.cache(mark)
	d.put(`}`)
	return nil
}
