package openai

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Encode implements codec.Adapter. The client's members are spliced into a new
// object: what needs no change is copied as it stands, unknown members too.
func (a *Adapter) Encode(r *chat.Request, call *codec.Call) error {
	call.URL = a.url
	for name, value := range a.profile.headers {
		call.Headers = append(call.Headers, codec.Header{Name: name, Value: value})
	}
	call.Body = append(append(call.Body, `{"model":`...), a.model...)
	for i := range r.Fields {
		if err := a.encodeField(r, &r.Fields[i], call); err != nil {
			return err
		}
	}
	a.encodeThinking(r, call)
	if r.Stream {
		call.Body = append(call.Body, `,"stream":true,"stream_options":{"include_usage":true}`...)
	}
	call.Body = append(append(call.Body, a.extra...), '}')
	return nil
}

//nolint:exhaustive // all other parameters are copied
func (a *Adapter) encodeField(r *chat.Request, f *chat.Field, call *codec.Call) error {
	if len(a.override) > 0 && a.override[string(f.Key)] {
		return nil
	}
	switch f.Param {
	case chat.Model, chat.Stream, chat.StreamOptions:
		return nil
	case chat.Messages:
		call.Body = append(call.Body, `,"messages":`...)
		return a.encodeMessages(r, call)
	case chat.MaxTokens, chat.MaxCompletionTokens:
		a.encodeMax(r, f, call)
		return nil
	}
	switch a.take(r, f.Param) {
	case hidden:
		return nil
	case dropped:
		call.Dropped |= chat.SetOf(f.Param)
		return nil
	}
	value := f.Value
	switch {
	case f.Param == chat.Temperature && a.profile.minTemperature != "" && isZero(value):
		value = []byte(a.profile.minTemperature)
	case f.Param == chat.Stop && a.profile.oneStop:
		value = firstStop(value)
	case f.Param == chat.ResponseFormat:
		value = a.format(value)
	}
	call.Body = append(append(append(call.Body, ',', '"'), f.Key...), '"', ':')
	call.Body = append(call.Body, value...)
	return nil
}

type fate uint8

const (
	sent    fate = iota
	hidden       // the gateway's own business
	dropped      // not taken by this endpoint
)

// take decides what becomes of a parameter at this endpoint.
//
//nolint:exhaustive // what is not listed is sent
func (a *Adapter) take(r *chat.Request, p chat.Param) fate {
	if a.profile.native.Has(p) {
		return sent
	}
	if a.profile.drop.Has(p) {
		return dropped
	}
	gated := false
	switch p {
	case chat.Models, chat.Route, chat.Provider, chat.Transforms, chat.Plugins, chat.UsageOption, chat.SessionID, chat.Trace, chat.Preset,
		chat.Debug, chat.CacheControl, chat.StopServerToolsWhen, chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning, chat.Thinking:
		return hidden // reasoning is said by encodeThinking
	case chat.Tools, chat.ToolChoice, chat.ParallelToolCalls:
		gated = !a.settings.Tools || a.profile.noChoice && (p == chat.ToolChoice || string(r.Raw(chat.ToolChoice)) == `"none"`)
	case chat.ResponseFormat, chat.StructuredOutputs:
		gated = !a.settings.Structured
	case chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty, chat.FrequencyPenalty, chat.PresencePenalty, chat.Seed,
		chat.LogitBias, chat.Logprobs, chat.TopLogprobs, chat.Verbosity:
		gated = !a.settings.Params.Has(p)
	}
	if gated {
		return dropped
	}
	return sent
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
	name := a.profile.maxField
	if name == "" {
		name = f.Param.String()
	}
	call.Body = append(append(append(call.Body, ',', '"'), name...), '"', ':')
	call.Body = strconv.AppendInt(call.Body, n, 10)
}

// format reduces a schema to json_object for servers without schemas.
func (a *Adapter) format(value []byte) []byte {
	if a.profile.schemaless && string(chat.Member(value, "type")) == `"json_schema"` {
		return []byte(`{"type":"json_object"}`)
	}
	return value
}

func isZero(raw []byte) bool {
	f, ok := rawjson.Float(raw)
	return ok && f == 0
}

func firstStop(raw []byte) []byte {
	var c rawjson.Cursor
	c.Reset(raw)
	if !c.Array() || !c.Elem() {
		return raw
	}
	return append(append([]byte{'['}, c.Raw()...), ']')
}
