package anthropic

import (
	"bytes"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// answerTool is the tool that an older model is made to call so that its
// answer follows a schema. Decoders turn the call back into content.
const answerTool = "gateway_json_answer"

// choice is a tool_choice of the Messages API; its zero value is not sent.
type choice uint8

const (
	choiceDefault choice = iota
	choiceAuto
	choiceAny
	choiceTool
	choiceNone
)

// toolPlan is what a request says about tools.
type toolPlan struct {
	// raw is the client's array, nil if none of it is sent.
	raw []byte
	// recalled are the names of tools that only occur in the history.
	recalled [][]byte
	// schema is what answerTool takes, nil without that tool.
	schema []byte
	choice choice
	// name is a literal, for choiceTool.
	name []byte
}

// forced reports whether the model must call a tool.
func (p *toolPlan) forced() bool { return p.choice == choiceAny || p.choice == choiceTool }

func (p *toolPlan) any() bool { return p.raw != nil || p.recalled != nil || p.schema != nil }

// planTools decides about tools, tool_choice and the schema of the answer.
func (d *draft) planTools() {
	p := &d.tools
	if raw := d.r.Raw(chat.Tools); usableTools(raw) {
		if d.a.settings.Tools {
			choice := d.r.Raw(chat.ToolChoice)
			p.raw, choice = chat.Allowed(raw, choice)
			d.planChoice(choice)
		} else {
			d.drop(chat.Tools, chat.ToolChoice, chat.ParallelToolCalls)
		}
	}
	d.planFormat()
	if p.forced() && d.a.traits.ForcedTools == "never" {
		p.choice = choiceAuto // this model refuses to be forced
		d.drop(chat.ToolChoice)
	}
	if !p.any() && d.talk.hasTools() {
		p.recalled = d.talk.toolNames()
		p.choice = choiceNone
	}
}

// usableTools reports whether a list holds a tool that can be sent.
func usableTools(raw []byte) bool {
	for tool := range rawjson.Elements(raw) {
		if !gatewayTool(chat.Member(tool, "type")) {
			return true
		}
	}
	return false
}

// gatewayTool reports tools that OpenRouter runs itself.
func gatewayTool(kind []byte) bool { return bytes.HasPrefix(kind, []byte(`"openrouter:`)) }

func (d *draft) planChoice(raw []byte) {
	p := &d.tools
	if len(raw) == 0 {
		return
	}
	kind := rawjson.Inner(raw)
	if raw[0] == '{' {
		kind = rawjson.Inner(chat.Member(raw, "type"))
	}
	switch string(kind) {
	case "none":
		p.choice = choiceNone
	case "required", "any":
		p.choice = choiceAny
	case "function":
		p.choice, p.name = choiceTool, chat.Member(chat.Member(raw, "function"), "name")
	case "custom":
		p.choice, p.name = choiceTool, chat.Member(chat.Member(raw, "custom"), "name")
	case "tool":
		p.choice, p.name = choiceTool, chat.Member(raw, "name")
	case "auto":
		p.choice = choiceAuto
	default:
		d.drop(chat.ToolChoice)
	}
	if p.choice == choiceTool && len(str(p.name)) <= 2 {
		p.choice = choiceDefault
		d.drop(chat.ToolChoice)
	}
}

// planFormat decides how an answer is held to response_format: by the model
// itself, by a tool that it must call, or by asking for JSON in words.
func (d *draft) planFormat() {
	raw := d.r.Raw(chat.ResponseFormat)
	kind := string(rawjson.Inner(chat.Member(raw, "type")))
	switch {
	case raw == nil || kind == "text":
		return
	case !d.a.settings.Structured || kind != "json_schema" && kind != "json_object":
		d.drop(chat.ResponseFormat)
		return
	case kind == "json_object":
		d.talk.system = append(d.talk.system, block{entire: true, text: []byte(`"Answer with a single JSON object and nothing else: no explanation and no code fence around it."`)})
		return
	}
	schema := chat.Member(chat.Member(raw, "json_schema"), "schema")
	if len(schema) == 0 {
		schema = chat.Member(raw, "schema")
	}
	p := &d.tools
	switch {
	case d.a.traits.Schema == "json_schema" && holdable(schema):
		d.format = schema
	case p.choice == choiceTool:
		d.drop(chat.ResponseFormat) // the client wants that call, not an answer
	case p.raw == nil || p.choice == choiceNone:
		p.schema, p.choice, p.name = schema, choiceTool, []byte(`"`+answerTool+`"`)
	default:
		p.schema, p.choice = schema, choiceAny
	}
}

// toolNames returns the names of the called tools, each once.
func (t *talk) toolNames() [][]byte {
	var names [][]byte
	for i := range t.turns {
		for _, use := range t.turns[i].calls {
			known := false
			for _, n := range names {
				known = known || bytes.Equal(n, use.call.Name)
			}
			if !known && len(use.call.Name) > 2 {
				names = append(names, use.call.Name)
			}
		}
	}
	return names
}
