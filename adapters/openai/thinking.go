package openai

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

// reasoningParams are the ways in which a client can ask for reasoning.
func reasoningParams() chat.ParamSet {
	return chat.SetOf(chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning, chat.Thinking)
}

// encodeThinking says what the client wants of reasoning in the server's own
// form. A client that only wants to hide it says nothing about thinking.
func (a *Adapter) encodeThinking(r *chat.Request, call *codec.Call) {
	o := &r.Reasoning
	if !o.Set {
		return
	}
	if a.profile.thinking == thinkObject {
		if r.Raw(chat.Thinking) != nil && r.Raw(chat.Reasoning) == nil && r.Raw(chat.ReasoningEffort) == nil {
			call.Body = appendReasoning(call.Body, o)
		}
		return
	}
	if a.settings.Params&reasoningParams() == 0 || a.profile.thinking == thinkNever {
		call.Dropped |= r.Sent & reasoningParams()
		return
	}
	switch a.profile.thinking {
	case thinkTemplate:
		a.encodeTemplate(r, call)
		a.encodeEffort(call, plainEffort(a.effort(r)))
	case thinkPlain:
		a.encodeEffort(call, orNone(o, plainEffort(a.effort(r))))
	case thinkDeepSeek:
		a.encodeSwitch(r, call)
		a.encodeEffort(call, highOrMax(a.effort(r)))
	case thinkZhipu:
		a.encodeSwitch(r, call)
		if a.settings.Params.Has(chat.ReasoningEffort) { // its newest models only
			a.encodeEffort(call, plainEffort(a.effort(r)))
		}
	case thinkEffort:
		effort := a.effort(r)
		if effort == "max" {
			effort = "xhigh"
		}
		a.encodeEffort(call, orNone(o, effort))
	case thinkObject, thinkNever:
	}
}

// effort is what the client asked for, or what its budget amounts to; "" if it
// left it open or wants none.
func (a *Adapter) effort(r *chat.Request) string {
	o := &r.Reasoning
	if o.Off || o.Effort != "" || o.MaxTokens == 0 {
		if o.Off {
			return ""
		}
		return o.Effort
	}
	limit := r.MaxTokens
	if limit == 0 {
		limit = a.settings.MaxOutput
	}
	if limit == 0 {
		limit = 16384
	}
	for _, effort := range []string{"low", "medium"} {
		if o.MaxTokens*100 <= limit*chat.EffortShare(effort) {
			return effort
		}
	}
	return "high"
}

func orNone(o *chat.ReasoningOption, effort string) string {
	if o.Off {
		return "none"
	}
	return effort
}

// plainEffort maps OpenRouter's efforts to low, medium and high.
func plainEffort(effort string) string {
	switch effort {
	case "max", "xhigh":
		return "high"
	case "minimal":
		return "low"
	}
	return effort
}

// highOrMax maps them to DeepSeek's two.
func highOrMax(effort string) string {
	switch effort {
	case "":
		return ""
	case "max", "xhigh":
		return "max"
	}
	return "high"
}

func (a *Adapter) encodeEffort(call *codec.Call, effort string) {
	if effort == "" || a.override["reasoning_effort"] {
		return
	}
	call.Body = appendMember(call.Body, "reasoning_effort", nil)
	call.Body = append(append(append(call.Body, '"'), effort...), '"')
}

// encodeTemplate sets the variables by which chat templates switch thinking.
func (a *Adapter) encodeTemplate(r *chat.Request, call *codec.Call) {
	o := &r.Reasoning
	if !o.On && !o.Off || !a.free(r, "chat_template_kwargs") {
		return
	}
	on := strconv.FormatBool(o.On)
	call.Body = append(call.Body, `,"chat_template_kwargs":{"enable_thinking":`+on+`,"thinking":`+on+`}`...)
}

// encodeSwitch writes the thinking object of DeepSeek and Zhipu. Members that
// are Anthropic's alone are left out.
func (a *Adapter) encodeSwitch(r *chat.Request, call *codec.Call) {
	o := &r.Reasoning
	if !o.On && !o.Off || a.override["thinking"] {
		return
	}
	kind := "enabled"
	if o.Off {
		kind = "disabled"
	}
	call.Body = append(call.Body, `,"thinking":{"type":"`+kind+`"`...)
	if keep := chat.Member(r.Raw(chat.Thinking), "clear_thinking"); keep != nil && a.profile.thinking == thinkZhipu {
		call.Body = appendMember(call.Body, "clear_thinking", keep)
	}
	call.Body = append(call.Body, '}')
}

// appendReasoning says in OpenRouter's words what the client said in Anthropic's.
func appendReasoning(dst []byte, o *chat.ReasoningOption) []byte {
	dst = append(dst, `,"reasoning":{`...)
	if o.MaxTokens > 0 {
		return append(strconv.AppendInt(append(dst, `"max_tokens":`...), o.MaxTokens, 10), '}')
	}
	return append(append(dst, `"enabled":`+strconv.FormatBool(o.On)...), '}')
}
