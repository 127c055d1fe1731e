package openai

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

// reasoningParams are the ways in which a client can ask for reasoning.
func reasoningParams() chat.ParamSet {
	return chat.SetOf(chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning, chat.Thinking)
}

// encodeThinking says what the client wants of reasoning in the server's own form.
func (a *Adapter) encodeThinking(r *chat.Request, call *codec.Call) {
	o := r.Reasoning
	if !o.Set || a.profile.thinking == thinkObject {
		return
	}
	if a.settings.Params&reasoningParams() == 0 || a.profile.thinking == thinkNever {
		call.Dropped |= r.Sent & reasoningParams()
		return
	}
	switch a.profile.thinking {
	case thinkTemplate:
		if o.Off && !a.override["chat_template_kwargs"] {
			call.Body = append(call.Body, `,"chat_template_kwargs":{"enable_thinking":false,"thinking":false}`...)
		}
		call.Body = appendEffort(call.Body, plainEffort(o.Effort))
	case thinkOllama:
		effort := plainEffort(o.Effort)
		if o.Off {
			effort = "none"
		}
		call.Body = appendEffort(call.Body, effort)
	case thinkDeepSeek:
		call.Body = appendThinking(call.Body, r)
		switch o.Effort {
		case "max", "xhigh":
			call.Body = appendEffort(call.Body, "max")
		case "":
		default:
			call.Body = appendEffort(call.Body, "high")
		}
	case thinkZhipu:
		call.Body = appendThinking(call.Body, r)
	case thinkEffort:
		effort := o.Effort
		if o.Off {
			effort = "none"
		}
		call.Body = appendEffort(call.Body, effort)
	case thinkObject, thinkNever:
	}
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

func appendEffort(dst []byte, effort string) []byte {
	if effort == "" {
		return dst
	}
	return append(append(append(dst, `,"reasoning_effort":"`...), effort...), '"')
}

// appendThinking passes the client's own thinking object on, since it may have
// members of the provider's, or makes one.
func appendThinking(dst []byte, r *chat.Request) []byte {
	dst = append(dst, `,"thinking":`...)
	if raw := r.Raw(chat.Thinking); raw != nil {
		return append(dst, raw...)
	}
	if r.Reasoning.Off {
		return append(dst, `{"type":"disabled"}`...)
	}
	return append(dst, `{"type":"enabled"}`...)
}
