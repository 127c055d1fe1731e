package gemini

import "github.com/hybridinference/gateway/adapters/chat"

// assistant appends an earlier answer with the signatures that came with it.
func (c *contents) assistant(m *chat.Message, i int) error {
	if c.open != modelTurn {
		c.last = len(c.known)
	}
	signed := readSignatures(m.Details)
	for _, thought := range signed.thoughts {
		c.begin(modelTurn)
		c.dst = append(append(c.dst, `{"thought":true,"text":`...), thought.text...)
		c.dst = append(appendMember(c.dst, "thoughtSignature", thought.signature), '}')
	}
	before := len(c.dst)
	if len(m.Text) > 2 {
		c.text(modelTurn, m.Text)
	}
	for j := range m.Parts {
		if err := c.part(modelTurn, &m.Parts[j], i, j); err != nil {
			return err
		}
	}
	if len(m.Refusal) > 2 {
		c.text(modelTurn, m.Refusal)
	}
	text := max(0, len(signed.texts)-len(m.Images))
	c.sign(signed.texts[:text], len(c.dst) > before)
	c.images(m.Images, signed.texts[text:])
	for n := range m.Calls {
		c.call(&m.Calls[n], signed, c.last == len(c.known))
		c.known = append(c.known, m.Calls[n])
	}
	return nil
}

// images appends those that the model made, with the signatures that came with
// them. One that it cannot take back has a text in its place.
func (c *contents) images(list []chat.Part, signed []chat.Literal) {
	for i := range list {
		p := &list[i]
		media, err := appendMedia(nil, p, c.family)
		if err == nil && p.Type == chat.PartImage && c.inputs&chat.HasImage != 0 {
			c.begin(modelTurn)
			c.dst = append(c.dst, media...)
		} else {
			c.text(modelTurn, []byte(`"`+chat.ImageNote+`"`))
		}
		if i < len(signed) {
			c.sign(signed[i:i+1], true)
		}
	}
}

// sign gives the last part of the answer's text its signature. One that has
// no text to belong to goes back with an empty one, as it came.
func (c *contents) sign(texts []chat.Literal, written bool) {
	for n, s := range texts {
		if n > 0 || !written {
			c.text(modelTurn, []byte(`""`))
		}
		c.dst = c.dst[:len(c.dst)-1] // the part's closing brace
		c.dst = append(appendMember(c.dst, "thoughtSignature", s), '}')
	}
}

// call appends an earlier tool call. Newer models refuse a turn whose first
// call has no signature; for histories of other models there is a word that
// they accept in its place.
func (c *contents) call(call *chat.Call, signed signatures, first bool) {
	const unsigned = `"skip_thought_signature_validator"`
	c.begin(modelTurn)
	c.dst = append(c.dst, `{"functionCall":{"name":`...)
	c.dst = appendName(c.dst, call.Name)
	if len(call.ID) > 2 && !c.anonymous {
		c.dst = appendMember(c.dst, "id", call.ID)
	}
	c.dst = append(chat.AppendArguments(appendKey(c.dst, "args"), call.Arguments), '}')
	if s := signed.of(call); s != nil {
		c.dst = appendMember(c.dst, "thoughtSignature", s)
	} else if first && c.family.signs() {
		c.dst = appendMember(c.dst, "thoughtSignature", []byte(unsigned))
	}
	c.dst = append(c.dst, '}')
}
