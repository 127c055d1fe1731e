package openai

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
)

// Encode implements codec.Adapter. The client's members are spliced into a new
// object: what needs no change is copied unchanged, unknown members too.
func (a *Adapter) Encode(r *chat.Request, call *codec.Call) error {
	call.URL = a.url
	call.Body = append(append(call.Body, `{"model":`...), a.model...)
	p := a.plan(r)
	for i := range r.Fields {
		if err := a.encodeField(r, &p, &r.Fields[i], call); err != nil {
			return err
		}
	}
	call.Dropped |= p.lost & r.Sent
	if !a.profile.keepCache && r.MarksCache() {
		call.Dropped |= chat.SetOf(chat.CacheControl)
	}
	if r.Has&chat.HasExtra != 0 && !a.keepsExtra() {
		call.Omitted = append(call.Omitted, "messages.extra_content")
	}
	a.encodeThinking(r, &p, call)
	if r.Has&chat.HasPrefill != 0 && a.free(r, "continue_final_message") && a.free(r, "add_generation_prompt") {
		call.Body = append(call.Body, a.profile.prefill...)
	}
	if r.Stream {
		call.Body = append(call.Body, `,"stream":true`...)
		if !a.profile.usageUnasked {
			call.Body = append(call.Body, `,"stream_options":{"include_usage":true}`...)
		}
	}
	call.Body = append(append(call.Body, a.extra...), '}')
	return nil
}

// free reports whether neither the operator nor the client sets a member that
// the gateway has no name for.
func (a *Adapter) free(r *chat.Request, name string) bool {
	if a.override[name] {
		return false
	}
	for i := range r.Fields {
		if string(r.Fields[i].Key) == name {
			return false
		}
	}
	return true
}

//nolint:exhaustive // all other parameters are copied
func (a *Adapter) encodeField(r *chat.Request, p *plan, f *chat.Field, call *codec.Call) error {
	if len(a.override) > 0 && a.override[string(f.Key)] {
		return nil
	}
	switch f.Param {
	case chat.Model, chat.Stream, chat.StreamOptions:
		return nil
	case chat.Messages:
		call.Body = append(call.Body, `,"messages":`...)
		return a.encodeMessages(r, p, call)
	case chat.MaxTokens, chat.MaxCompletionTokens:
		a.encodeMax(r, f, call)
		return nil
	}
	switch a.take(r, p, f.Param) {
	case hidden:
		return nil
	case dropped:
		call.Dropped |= chat.SetOf(f.Param)
		return nil
	case sent:
	}
	if f.Param == chat.Seed && a.profile.seed != "" {
		call.Body = appendMember(call.Body, a.profile.seed, f.Value)
		return nil
	}
	call.Body = appendMember(call.Body, f.Key, nil)
	a.encodeValue(p, f, call)
	return nil
}

type fate uint8

const (
	sent    fate = iota
	hidden       // the gateway's own business, or said in another way
	dropped      // not taken by this endpoint
)

// take decides what becomes of a parameter at this endpoint.
//
//nolint:exhaustive // what is not listed is sent
func (a *Adapter) take(r *chat.Request, pl *plan, p chat.Param) fate {
	if a.profile.native.Has(p) {
		return sent
	}
	if a.profile.drop.Has(p) {
		return dropped
	}
	gated := false
	switch p {
	case chat.Transforms, chat.Plugins, chat.Preset, chat.StopServerToolsWhen:
		if !r.Router().Has(p) {
			return hidden
		}
		return dropped
	case chat.Models, chat.Route, chat.Provider, chat.UsageOption, chat.SessionID, chat.Trace,
		chat.Debug, chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning, chat.Thinking:
		return hidden // reasoning is said by encodeThinking
	case chat.CacheControl:
		return dropped
	case chat.Tools, chat.ToolChoice, chat.ParallelToolCalls:
		return a.takeTools(pl, p)
	case chat.Temperature, chat.TopP:
		return a.takeSampling(r, p)
	case chat.ResponseFormat, chat.StructuredOutputs:
		gated = !a.settings.Structured || pl.loose
	case chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty, chat.FrequencyPenalty, chat.PresencePenalty, chat.Seed,
		chat.LogitBias, chat.Logprobs, chat.TopLogprobs, chat.Verbosity:
		if gated = !a.settings.Params.Has(p); !gated && p != chat.Seed && p != chat.Verbosity {
			return a.takeSampling(r, p)
		}
	}
	if gated {
		return dropped
	}
	return sent
}

// takeSampling decides about temperature and its like, which some models
// refuse beside reasoning.
func (a *Adapter) takeSampling(r *chat.Request, p chat.Param) fate {
	if (p == chat.Temperature || p == chat.TopP) && string(r.Raw(p)) == "1" {
		return sent // the default, which no one refuses
	}
	switch a.traits.Sampling {
	case "never":
		return dropped
	case "without_thinking":
		if r.Reasoning.On || a.traits.ThinkingDefault == "on" && !r.Reasoning.Off {
			return dropped
		}
	case "one_of":
		if p == chat.TopP && r.Sent.Has(chat.Temperature) {
			return dropped
		}
	}
	return sent
}

// takeTools decides about tools. Where tool_choice is ignored, none is said by
// leaving out the tools, and auto by saying nothing.
func (a *Adapter) takeTools(pl *plan, p chat.Param) fate {
	switch {
	case !a.settings.Tools:
		return dropped
	case pl.tools == nil, p == chat.ToolChoice && pl.choice == nil:
		return hidden // plan has noted what is lost; a choice without tools is refused
	case !a.profile.noChoice:
		return sent
	case string(pl.choice) == `"none"`:
		return hidden
	case p != chat.ToolChoice:
		return sent
	case string(pl.choice) == `"auto"`:
		return hidden
	}
	return dropped
}

// encodeMax writes the limit once, clamped to what the model can give.
func (a *Adapter) encodeMax(r *chat.Request, f *chat.Field, call *codec.Call) {
	if f.Param == chat.MaxTokens && r.Sent.Has(chat.MaxCompletionTokens) {
		return
	}
	n := r.MaxTokens
	if a.settings.MaxOutput > 0 {
		n = min(n, a.settings.MaxOutput)
	}
	name := a.traits.MaxTokensField
	if name == "" || name == "as_sent" {
		name = f.Param.String()
	}
	if !a.override[name] {
		call.Body = strconv.AppendInt(appendMember(call.Body, name, nil), n, 10)
	}
}
