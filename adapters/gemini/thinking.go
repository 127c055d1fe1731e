package gemini

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

// encodeThinking says what the client wants of reasoning. A budget and a
// level exclude each other.
func (a *Adapter) encodeThinking(r *chat.Request, call *codec.Call) {
	o := r.Reasoning
	if !o.Set {
		return
	}
	if a.settings.Params&reasoningParams() == 0 || a.traits.Thinking == "never" {
		call.Dropped |= r.Sent & reasoningParams()
		return
	}
	if a.config.names["thinkingConfig"] {
		return
	}
	shown := !o.Off && !o.Exclude
	call.Body = strconv.AppendBool(append(call.Body, `,"thinkingConfig":{"includeThoughts":`...), shown)
	if o.MaxTokens == 0 && a.traits.Thinking == "level" {
		call.Body = appendLevel(call.Body, a.thinkingLevel(o))
	} else if n, ok := a.thinkingBudget(r); ok {
		call.Body = strconv.AppendInt(append(call.Body, `,"thinkingBudget":`...), n, 10)
	}
	call.Body = append(call.Body, '}')
}

// thinkingLevel returns the level, "" for the model's own choice. Models with
// levels always think: off is the lowest of them.
func (a *Adapter) thinkingLevel(o chat.ReasoningOption) string {
	switch {
	case o.Off:
		return traits.Nearest(a.traits.Efforts, "none")
	case o.Effort != "":
		return traits.Nearest(a.traits.Efforts, o.Effort)
	}
	return ""
}

func appendLevel(dst []byte, level string) []byte {
	if level == "" {
		return dst
	}
	return append(append(append(dst, `,"thinkingLevel":"`...), level...), '"')
}

// thinkingBudget returns the budget in tokens: 0 is off and -1 the model's own
// choice. An effort is a share of what the answer may have, thoughts included.
func (a *Adapter) thinkingBudget(r *chat.Request) (int64, bool) {
	o := r.Reasoning
	least, greatest := a.family.budget()
	switch {
	case o.Off && a.family.pro:
		return least, true // cannot be off
	case o.Off:
		return 0, true
	case o.MaxTokens > 0:
		return min(max(o.MaxTokens, least), greatest), true
	case o.Effort != "":
		room := greatest
		if n := a.limit(r); n > 0 {
			room = min(room, n)
		}
		return max(room*chat.EffortShare(o.Effort)/100, least), true
	case o.Exclude:
		return 0, false // only hides what the model does anyway
	}
	return -1, true
}
