package openai

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// plan is what a request says about tools, as this server takes it.
type plan struct {
	// given: the client sent a list. tools are those of it that go out, nil for none.
	given bool
	tools []byte
	// choice is the tool_choice, nil for none.
	choice []byte
	// quiet: thinking is switched off, since it would rule out the choice.
	quiet bool
	// loose: the form of the answer is asked for in words only.
	loose bool
	// lost are the parameters that go out in part only or not at all.
	lost chat.ParamSet
}

// plan decides about tools and, where JSON mode and thinking exclude each other,
// about these.
func (a *Adapter) plan(r *chat.Request) plan {
	p := a.planTools(r)
	if kind := chat.Member(r.Raw(chat.ResponseFormat), "type"); a.profile.plainJSON && len(kind) > 0 && string(kind) != `"text"` {
		if p.loose = r.Reasoning.On && a.traits.Thinking != "never" || a.traits.Thinking == "never" && a.traits.ThinkingDefault == "on"; !p.loose {
			p.quiet = p.quiet || a.traits.ThinkingDefault == "on" && !r.Reasoning.Off
		}
	}
	return p
}

// planTools decides about tools. Only tools that the server takes are sent.
func (a *Adapter) planTools(r *chat.Request) plan {
	p := plan{tools: r.Raw(chat.Tools), choice: r.Raw(chat.ToolChoice)}
	p.given = p.tools != nil
	if !p.given || !a.settings.Tools {
		return p
	}
	if r.Has&chat.HasForeignTool != 0 {
		var all bool
		if p.tools, all = a.ownTools(p.tools); !all {
			p.lost |= chat.SetOf(chat.Tools)
			p.choose()
		}
	}
	if !a.profile.choosesAmong {
		p.tools, p.choice = chat.Allowed(p.tools, p.choice)
	}
	if empty(p.tools) {
		p.tools, p.choice = nil, nil
		return p
	}
	a.planForced(r, &p)
	return p
}

func empty(list []byte) bool { return elements(list) == 0 }

func elements(list []byte) (n int) {
	for range rawjson.Elements(list) {
		n++
	}
	return n
}

// choose drops a choice of a tool that does not go out.
func (p *plan) choose() {
	name := chat.ToolName(p.choice)
	if name == nil {
		name = rawjson.Inner(chat.Member(p.choice, "name"))
	}
	if len(name) == 0 && (len(p.choice) == 0 || p.choice[0] != '{') {
		return
	}
	for tool := range rawjson.Elements(p.tools) {
		if bytes.Equal(chat.ToolName(tool), name) {
			return
		}
	}
	if string(chat.Member(p.choice, "type")) != `"allowed_tools"` {
		p.choice = nil
		p.lost |= chat.SetOf(chat.ToolChoice)
	}
}

// planForced decides about a choice that forces a call. Servers that do not
// take one while the model thinks get it without thinking, unless the client
// wants to see it think.
func (a *Adapter) planForced(r *chat.Request, p *plan) {
	if !chat.Forces(p.choice) || a.profile.noChoice {
		return
	}
	thinks := r.Reasoning.On && a.settings.Params&reasoningParams() != 0
	switch {
	case a.traits.ForcedTools == "never", a.traits.ForcedTools == "without_thinking" && thinks:
		p.choice = []byte(`"auto"`)
		p.lost |= chat.SetOf(chat.ToolChoice)
	case a.traits.ForcedTools == "without_thinking" && !r.Reasoning.Off && a.traits.ThinkingDefault == "on":
		p.quiet = true
	}
}

// ownTools returns the tools that the server takes: functions without members
// of another API's, and tools of free text as functions of one argument.
func (a *Adapter) ownTools(list []byte) (out []byte, all bool) {
	out, all = []byte{'['}, true
	for tool := range rawjson.Elements(list) {
		mark := len(out)
		if mark > 1 {
			out = append(out, ',')
		}
		kind, custom := rawjson.Text(chat.Member(tool, "type")), chat.Member(tool, "custom")
		switch {
		case kind == "function":
			out = a.appendFunction(out, tool)
		case slices.ContainsFunc(a.profile.toolTypes, func(t string) bool { return t == kind || strings.HasSuffix(t, ":") && strings.HasPrefix(kind, t) }):
			out = append(out, tool...)
		case kind == "custom" && len(custom) > 0:
			out = appendCustom(out, custom)
		default:
			out, all = out[:mark], false
		}
	}
	return append(out, ']'), all
}

// appendFunction copies a function. strict, which Anthropic has beside the
// function, goes into it.
func (a *Adapter) appendFunction(dst, tool []byte) []byte {
	function := chat.Member(tool, "function")
	if strict := chat.Member(tool, "strict"); !rawjson.IsNull(strict) && rawjson.IsNull(chat.Member(function, "strict")) {
		function = appendWith(nil, function, "strict", strict)
	}
	dst = append(append(dst, `{"type":"function","function":`...), function...)
	if cache := chat.Member(tool, "cache_control"); a.profile.keepCache && !rawjson.IsNull(cache) {
		dst = appendMember(dst, "cache_control", cache)
	}
	return append(dst, '}')
}

func appendCustom(dst, custom []byte) []byte {
	dst = append(append(dst, `{"type":"function","function":{"name":`...), chat.Member(custom, "name")...)
	if text := chat.CustomDescription(custom); text != nil {
		dst = appendMember(dst, "description", text)
	}
	return append(appendMember(dst, "parameters", []byte(chat.CustomSchema)), '}', '}')
}
