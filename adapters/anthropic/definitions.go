package anthropic

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

func (d *draft) writeTools() {
	p := &d.tools
	if !p.any() {
		return
	}
	if d.member("tools") {
		d.put(`[`)
		mark := len(d.body)
		for tool := range rawjson.Elements(p.raw) {
			d.writeTool(tool, mark)
		}
		for _, name := range p.recalled {
			d.comma(mark)
			d.put(`{"name":`).putRaw(name).put(`,"description":"Was called earlier; not available any more","input_schema":` + emptySchema + `}`)
		}
		if p.schema != nil {
			d.comma(mark)
			d.put(`{"name":"` + answerTool + `","description":"Gives the answer to the user. Call it once, with the whole answer","input_schema":`)
			d.body = appendInputSchema(d.body, p.schema)
			d.put(`}`)
		}
		d.put(`]`)
	}
	d.writeChoice()
}

// writeTool appends one tool. Tools of Anthropic's own types pass as they are.
func (d *draft) writeTool(tool []byte, mark int) {
	kind := rawjson.Inner(chat.Member(tool, "type"))
	if gatewayTool(chat.Member(tool, "type")) {
		return
	}
	d.comma(mark)
	cache := chat.Member(tool, "cache_control")
	if custom := chat.Member(tool, "custom"); string(kind) == "custom" && len(custom) > 0 {
		d.writeCustom(custom)
		d.cache(cache)
		d.put(`}`)
		return
	}
	if string(kind) != "function" {
		d.body = appendOpen(d.body, tool)
		d.cache(cache)
		d.put(`}`)
		return
	}
	fn := chat.Member(tool, "function")
	d.put(`{"name":`).putRaw(chat.Member(fn, "name"))
	if text := str(chat.Member(fn, "description")); text != nil {
		d.put(`,"description":`).putRaw(text)
	}
	d.put(`,"input_schema":`)
	if parameters := chat.Member(fn, "parameters"); d.strict(tool, fn) && holdable(parameters) {
		d.body = appendOutputSchema(d.body, parameters)
		d.put(`,"strict":true`)
	} else {
		d.body = appendInputSchema(d.body, parameters)
	}
	for _, own := range []string{"defer_loading", "allowed_callers", "input_examples", "eager_input_streaming"} {
		d.body = appendSibling(d.body, tool, own)
	}
	d.cache(cache)
	d.put(`}`)
}

// strict reports whether a call has to keep to the tool's schema, and the model
// can be held to it.
func (d *draft) strict(tool, fn []byte) bool {
	asked := string(chat.Member(fn, "strict")) == "true" || string(chat.Member(tool, "strict")) == "true"
	return asked && d.a.traits.Schema == "json_schema" && string(chat.Member(chat.Member(fn, "parameters"), "type")) == `"object"`
}

// writeCustom writes OpenAI's tool of free text as one with a single argument.
func (d *draft) writeCustom(custom []byte) {
	d.put(`{"name":`).putRaw(chat.Member(custom, "name"))
	if text := chat.CustomDescription(custom); text != nil {
		d.put(`,"description":`).putRaw(text)
	}
	d.put(`,"input_schema":` + chat.CustomSchema)
}

func (d *draft) writeChoice() {
	p := &d.tools
	parallel := d.r.Raw(chat.ParallelToolCalls)
	if p.raw == nil {
		parallel = nil
	}
	if p.schema != nil {
		parallel = []byte("false") // one answer
	}
	kind := p.choice
	if kind == choiceDefault && parallel != nil {
		kind = choiceAuto
	}
	if kind == choiceDefault || !d.member("tool_choice") {
		return
	}
	switch kind {
	case choiceAny:
		d.put(`{"type":"any"`)
	case choiceNone:
		d.put(`{"type":"none"}`)
		return
	case choiceTool:
		d.put(`{"type":"tool","name":`).putRaw(p.name)
	case choiceAuto, choiceDefault:
		d.put(`{"type":"auto"`)
	}
	if parallel != nil {
		d.put(`,"disable_parallel_tool_use":`)
		if parallel[0] == 'f' {
			d.put(`true`)
		} else {
			d.put(`false`)
		}
	}
	d.put(`}`)
}
