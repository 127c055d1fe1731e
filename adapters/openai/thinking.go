package openai

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/traits"
)

// reasoningParams are the ways in which a client can ask for reasoning.
func reasoningParams() chat.ParamSet {
	return chat.SetOf(chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning, chat.Thinking)
}

// encodeThinking says what the client wants of reasoning in the server's own
// form. A client that only wants to hide it says nothing about thinking.
func (a *Adapter) encodeThinking(r *chat.Request, p *plan, call *codec.Call) {
	o := r.Reasoning
	if p.quiet {
		o = chat.ReasoningOption{Set: true, Off: true}
	}
	switch {
	case !o.Set:
		return
	case a.profile.thinking == thinkObject:
		if r.Raw(chat.Thinking) != nil && r.Raw(chat.Reasoning) == nil && r.Raw(chat.ReasoningEffort) == nil {
			call.Body = appendReasoning(call.Body, &o)
		}
		return
	case !p.quiet && a.settings.Params&reasoningParams() == 0, a.traits.Thinking == "never" && a.profile.thinking != thinkTemplate, a.profile.thinking == thinkMiniMax && a.traits.Thinking != "adaptive":
		call.Dropped |= r.Sent & reasoningParams()
		return
	}
	effort := a.nearest(&o, a.effort(r, &o))
	switch a.profile.thinking {
	case thinkTemplate:
		a.encodeTemplate(r, &o, call)
		a.encodeEffort(call, effort)
	case thinkPlain, thinkEffort:
		if o.Off && effort == "" {
			effort = "none"
		}
		a.encodeEffort(call, effort)
	case thinkDeepSeek, thinkMiniMax, thinkSwitch:
		a.encodeSwitch(r, &o, call)
		if a.profile.thinking == thinkDeepSeek {
			a.encodeEffort(call, effort)
		}
	case thinkZhipu:
		a.encodeSwitch(r, &o, call)
		if len(a.traits.Efforts) > 0 || a.settings.Params.Has(chat.ReasoningEffort) { // its newest models only
			a.encodeEffort(call, effort)
		}
	case thinkQwen:
		a.encodeQwen(r, &o, call)
	case thinkObject:
	}
}

// nearest returns the level of effort that the model has next to what was asked
// for. Without thinking there is one only where a level switches it off.
func (a *Adapter) nearest(o *chat.ReasoningOption, effort string) string {
	known := a.traits.Efforts
	if len(known) == 0 {
		known = []string{"low", "medium", "high"}
		switch a.profile.thinking {
		case thinkEffort:
			known = []string{"none", "minimal", "low", "medium", "high", "xhigh"}
		case thinkDeepSeek:
			known = []string{"high", "max"}
		case thinkTemplate, thinkPlain, thinkZhipu, thinkObject, thinkMiniMax, thinkSwitch, thinkQwen:
		}
	}
	switch {
	case o.Off && (a.stays() || a.profile.thinking == thinkEffort):
		return traits.Nearest(known, "none")
	case effort == "":
		return ""
	}
	return traits.Nearest(known, effort)
}

// stays reports whether thinking cannot be turned off.
func (a *Adapter) stays() bool { return a.traits.ThinkingOff == "lowest_effort" }

// effort is what the client asked for, or what its budget amounts to; "" if it
// left it open or wants none.
func (a *Adapter) effort(r *chat.Request, o *chat.ReasoningOption) string {
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

func (a *Adapter) encodeEffort(call *codec.Call, effort string) {
	if effort == "" || a.override["reasoning_effort"] {
		return
	}
	call.Body = appendMember(call.Body, "reasoning_effort", nil)
	call.Body = append(append(append(call.Body, '"'), effort...), '"')
}

// encodeTemplate sets the variables by which chat templates switch thinking.
func (a *Adapter) encodeTemplate(r *chat.Request, o *chat.ReasoningOption, call *codec.Call) {
	if !o.On && !o.Off || o.Off && a.stays() || !a.free(r, "chat_template_kwargs") {
		return
	}
	on := strconv.FormatBool(o.On)
	call.Body = append(call.Body, `,"chat_template_kwargs":{"enable_thinking":`+on+`,"thinking":`+on+`}`...)
}

// encodeSwitch writes the thinking object of DeepSeek, Zhipu and MiniMax. Members that
// are Anthropic's alone are left out.
func (a *Adapter) encodeSwitch(r *chat.Request, o *chat.ReasoningOption, call *codec.Call) {
	if !o.On && !o.Off || o.Off && a.stays() || a.override["thinking"] {
		return
	}
	kind := "enabled"
	switch {
	case o.Off:
		kind = "disabled"
	case a.profile.thinking == thinkMiniMax:
		kind = "adaptive"
	}
	call.Body = append(call.Body, `,"thinking":{"type":"`+kind+`"`...)
	if keep := chat.Member(r.Raw(chat.Thinking), "clear_thinking"); keep != nil && a.profile.thinking == thinkZhipu {
		call.Body = appendMember(call.Body, "clear_thinking", keep)
	}
	call.Body = append(call.Body, '}')
}

// encodeQwen writes DashScope's switch and its budget. An effort is the share
// of the answer's length that it may spend.
func (a *Adapter) encodeQwen(r *chat.Request, o *chat.ReasoningOption, call *codec.Call) {
	if !o.On && !o.Off || !a.free(r, "enable_thinking") {
		return
	}
	call.Body = appendMember(call.Body, "enable_thinking", []byte(strconv.FormatBool(o.On)))
	budget, limit := o.MaxTokens, r.MaxTokens
	if limit == 0 {
		limit = a.settings.MaxOutput
	}
	if budget == 0 && o.Effort != "" {
		budget = limit * chat.EffortShare(o.Effort) / 100
	}
	if o.On && budget > 0 && a.free(r, "thinking_budget") {
		call.Body = strconv.AppendInt(appendMember(call.Body, "thinking_budget", nil), budget, 10)
	}
}

// appendReasoning says in OpenRouter's words what the client said in Anthropic's.
func appendReasoning(dst []byte, o *chat.ReasoningOption) []byte {
	dst = append(dst, `,"reasoning":{`...)
	if o.MaxTokens > 0 {
		return append(strconv.AppendInt(append(dst, `"max_tokens":`...), o.MaxTokens, 10), '}')
	}
	return append(append(dst, `"enabled":`+strconv.FormatBool(o.On)...), '}')
}
