package bedrock

import (
	"bytes"
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// draft is a Messages request on its way into Converse's form.
type draft struct {
	*Adapter
	r    *chat.Request
	call *codec.Call
	dst  []byte
	// model are the members that go to the model as they are.
	model []byte
	// inference are those of inferenceConfig.
	inference []byte
	files     int
}

func (d *draft) put(text string) *draft {
	d.dst = append(d.dst, text...)
	return d
}

func (d *draft) raw(raw []byte) *draft {
	d.dst = append(d.dst, raw...)
	return d
}

// member begins a member of the body; false means that the operator's
// extra_body has one of that name.
func (d *draft) member(name string) bool {
	if d.override[name] {
		return false
	}
	if d.dst[len(d.dst)-1] != '{' {
		d.put(`,`)
	}
	d.put(`"`).put(name).put(`":`)
	return true
}

func (d *draft) write(body []byte) error {
	d.put(`{`)
	if err := d.messages(chat.Member(body, "messages")); err != nil {
		return err
	}
	for key, val := range rawjson.Members(body) {
		switch string(key) {
		case "system":
			if d.member("system") {
				d.system(val)
			}
		case "max_tokens":
			d.inference = member(d.inference, "maxTokens", val)
		case "temperature":
			d.inference = member(d.inference, "temperature", val)
		case "top_p":
			d.inference = member(d.inference, "topP", val)
		case "stop_sequences":
			d.inference = member(d.inference, "stopSequences", val)
		case "top_k":
			d.topK(val)
		case "thinking":
			d.model = member(d.model, "thinking", val)
		case "output_config":
			d.outputConfig(val)
		case "metadata": // whose user_id no other name stands for
			d.call.Dropped |= chat.SetOf(chat.User) & d.r.Sent
		}
	}
	d.tools(chat.Member(body, "tools"), chat.Member(body, "tool_choice"))
	d.object("inferenceConfig", d.inference)
	d.object("additionalModelRequestFields", d.model)
	d.tier()
	if len(d.dst) == 1 && len(d.extra) > 0 {
		d.raw(d.extra[1:])
	} else {
		d.raw(d.extra)
	}
	d.put(`}`)
	return nil
}

// member appends ,"name":value.
func member(dst []byte, name string, val []byte) []byte {
	return append(append(append(append(dst, ',', '"'), name...), '"', ':'), val...)
}

// object writes an object of members with leading commas, if there are any.
func (d *draft) object(name string, members []byte) {
	if len(members) > 0 && d.member(name) {
		d.put(`{`).raw(members[1:]).put(`}`)
	}
}

func (d *draft) topK(val []byte) {
	if d.claude {
		d.model = member(d.model, "top_k", val)
	} else {
		d.call.Dropped |= chat.SetOf(chat.TopK)
	}
}

// tier passes on what Bedrock calls a tier, too.
func (d *draft) tier() {
	tier := d.r.Raw(chat.ServiceTier)
	switch string(rawjson.Inner(tier)) {
	case "default", "flex", "priority":
		if d.member("serviceTier") {
			d.put(`{"type":`).raw(tier).put(`}`)
		}
		d.call.Dropped &^= chat.SetOf(chat.ServiceTier)
	}
}

// outputConfig splits what holds for the model from the form of the answer.
func (d *draft) outputConfig(val []byte) {
	if effort := chat.Member(val, "effort"); effort != nil {
		d.model = member(d.model, "output_config", slices.Concat([]byte(`{"effort":`), effort, []byte(`}`)))
	}
	schema := chat.Member(chat.Member(val, "format"), "schema")
	if schema == nil || !d.member("outputConfig") {
		return
	}
	d.put(`{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"response","schema":`)
	d.dst = rawjson.AppendString(d.dst, schema)
	d.put(`}}}}`)
}

// system writes the system prompt, a text or blocks.
func (d *draft) system(val []byte) {
	d.put(`[`)
	if val[0] == '"' {
		d.put(`{"text":`).raw(val).put(`}`)
	}
	first := true
	for block := range rawjson.Elements(val) {
		d.comma(&first).put(`{"text":`).raw(chat.Member(block, "text")).put(`}`)
		d.cache(block)
	}
	d.put(`]`)
}

func (d *draft) comma(first *bool) *draft {
	if !*first {
		d.put(`,`)
	}
	*first = false
	return d
}

// cache writes a cache point behind what has a mark.
func (d *draft) cache(block []byte) {
	mark := chat.Member(block, "cache_control")
	if len(mark) == 0 || mark[0] != '{' || !d.caches {
		return
	}
	d.put(`,{"cachePoint":{"type":"default"`)
	if ttl := chat.Member(mark, "ttl"); len(ttl) > 2 && d.claude {
		d.put(`,"ttl":`).raw(ttl)
	}
	d.put(`}}`)
}

func (d *draft) messages(list []byte) error {
	d.member("messages")
	d.put(`[`)
	first := true
	for m := range rawjson.Elements(list) {
		d.comma(&first).put(`{"role":`).raw(chat.Member(m, "role")).put(`,"content":`)
		if err := d.content(chat.Member(m, "content")); err != nil {
			return err
		}
		d.put(`}`)
	}
	d.put(`]`)
	return nil
}

// content writes a text or blocks.
func (d *draft) content(val []byte) error {
	if len(val) > 0 && val[0] == '"' {
		d.put(`[{"text":`).raw(val).put(`}]`)
		return nil
	}
	d.put(`[`)
	first := true
	for block := range rawjson.Elements(val) {
		if isForeign(block) {
			if text := chat.ForeignText(block); text != nil {
				d.comma(&first).put(`{"text":`).raw(text).put(`}`)
			}
			continue
		}
		d.comma(&first)
		if err := d.block(block); err != nil {
			return err
		}
		d.cache(block)
	}
	if first { // Converse refuses empty content
		d.put(`{"text":"` + chat.ForeignNote + `"}`)
	}
	d.put(`]`)
	return nil
}

// isForeign reports blocks that Anthropic's own API has and Converse has not.
func isForeign(block []byte) bool {
	switch string(chat.Member(block, "type")) {
	case `"image"`, `"document"`:
		switch string(chat.Member(chat.Member(block, "source"), "type")) {
		case `"base64"`, `"text"`, `"url"`:
			return false
		}
	}
	return chat.Foreign(block)
}

func (d *draft) tools(list, choice []byte) {
	own := ownTools(list)
	if n := elements(list); n > len(own) {
		d.call.Dropped |= chat.SetOf(chat.Tools) & d.r.Sent
		if name := chat.Member(choice, "name"); len(own) == 0 || name != nil && !named(own, name) {
			choice = nil // of a tool that does not go out
			d.call.Dropped |= chat.SetOf(chat.ToolChoice) & d.r.Sent
		}
	}
	if len(own) == 0 || string(chat.Member(choice, "type")) == `"none"` && !bytes.Contains(d.dst, []byte(`{"toolUse":`)) || !d.member("toolConfig") {
		return
	}
	d.put(`{"tools":[`)
	first := true
	for _, tool := range own {
		d.comma(&first).put(`{"toolSpec":{"name":`).raw(chat.Member(tool, "name"))
		if text := chat.Member(tool, "description"); len(text) > 2 {
			d.put(`,"description":`).raw(text)
		}
		d.put(`,"inputSchema":{"json":`).raw(chat.Member(tool, "input_schema")).put(`}`)
		if string(chat.Member(tool, "strict")) == "true" {
			d.put(`,"strict":true`)
		}
		d.put(`}}`)
		d.cache(tool)
	}
	d.put(`]`)
	switch kind := chat.Member(choice, "type"); string(kind) {
	case `"auto"`:
		d.put(`,"toolChoice":{"auto":{}}`)
	case `"any"`:
		d.put(`,"toolChoice":{"any":{}}`)
	case `"tool"`:
		d.put(`,"toolChoice":{"tool":{"name":`).raw(chat.Member(choice, "name")).put(`}}`)
	case `"none"`: // which Converse has no word for: calls of the history need the definitions
		d.call.Dropped |= chat.SetOf(chat.ToolChoice) & d.r.Sent
	}
	if bytes.Equal(chat.Member(choice, "disable_parallel_tool_use"), []byte("true")) {
		d.call.Dropped |= chat.SetOf(chat.ParallelToolCalls) & d.r.Sent
	}
	d.put(`}`)
}

// ownTools are the tools with a schema, and not those that Anthropic runs.
func ownTools(list []byte) (out [][]byte) {
	for tool := range rawjson.Elements(list) {
		if chat.Member(tool, "input_schema") != nil {
			out = append(out, tool)
		}
	}
	return out
}

func named(tools [][]byte, name []byte) bool {
	return slices.ContainsFunc(tools, func(tool []byte) bool { return bytes.Equal(chat.Member(tool, "name"), name) })
}

func elements(list []byte) (n int) {
	for range rawjson.Elements(list) {
		n++
	}
	return n
}
