package anthropic

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// leastTopP is the least top_p that goes together with thinking.
const leastTopP = 0.95

// writeSampling writes temperature, top_p, top_k and the stop sequences as far
// as the model takes them, alone and together.
func (d *draft) writeSampling() {
	t := d.a.traits
	temperature, topP, topK := d.r.Raw(chat.Temperature), d.r.Raw(chat.TopP), d.r.Raw(chat.TopK)
	if !d.a.settings.Params.Has(chat.TopK) {
		topK = nil
	}
	if t.Sampling == "never" || t.Sampling == "without_thinking" && d.thinks() {
		temperature, topP, topK = nil, nil, nil
	}
	if d.think.on {
		temperature, topK = nil, nil
		if f, ok := rawjson.Float(topP); !ok || f < leastTopP {
			topP = nil
		}
	}
	if t.Sampling == "one_of" && temperature != nil {
		topP = nil
	}
	if f, ok := rawjson.Float(temperature); ok && f > 1 {
		temperature = []byte("1") // OpenAI's scale goes to 2
	}
	d.writeNumber(chat.Temperature, temperature)
	d.writeNumber(chat.TopP, topP)
	d.writeNumber(chat.TopK, topK)
	d.writeStop(d.r.Raw(chat.Stop))
}

// writeNumber writes a parameter; nil means that it is not taken.
func (d *draft) writeNumber(p chat.Param, value []byte) {
	if value == nil {
		d.drop(p)
	} else if d.member(p.String()) {
		d.putRaw(value)
	}
}

// writeStop writes the stop words less those of white space only, which the
// API refuses.
func (d *draft) writeStop(raw []byte) {
	var words [][]byte
	if one := str(raw); one != nil {
		words = append(words, one)
	}
	for word := range rawjson.Elements(raw) {
		words = append(words, word)
	}
	kept := words[:0]
	for _, w := range words {
		if !blank(w) {
			kept = append(kept, w)
		}
	}
	if len(kept) < len(words) {
		d.drop(chat.Stop)
	}
	if len(kept) == 0 || !d.member("stop_sequences") {
		return
	}
	d.put(`[`)
	for i, w := range kept {
		if i > 0 {
			d.put(`,`)
		}
		d.putRaw(w)
	}
	d.put(`]`)
}
