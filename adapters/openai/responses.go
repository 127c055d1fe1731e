package openai

import (
	"net/url"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// SpeaksResponses reports whether the endpoint serves POST responses itself, so
// that a client's own request goes through.
func (a *Adapter) SpeaksResponses() bool { return a.settings.Responses }

// EncodeResponses fills call with a client's own Responses request, unchanged
// but for the model, the members that concern the gateway, and store: answers
// are not kept for a client that the provider does not know. path is that below
// responses, "" for the generation itself.
func (a *Adapter) EncodeResponses(body []byte, path string, call *codec.Call) error {
	if err := rawjson.Valid(body); err != nil {
		return fault.New(fault.InvalidRequest, "The request body is not valid JSON: %v", err)
	}
	call.URL = a.responses + "/responses" + path
	call.Body = append(append(call.Body, `{"model":`...), a.model...)
	for key, val := range rawjson.Members(body) {
		if !gatewayMember(string(key)) && !a.override[string(key)] {
			call.Body = appendMember(append(call.Body, ','), key, val)
		}
	}
	if path == "" {
		call.Body = append(call.Body, `,"store":false`...)
	}
	call.Body = append(append(call.Body, a.always...), '}')
	return nil
}

// gatewayMember reports members of a Responses request that the gateway acts on
// or sets.
func gatewayMember(name string) bool {
	switch name {
	case "model", "models", "provider", "plugins", "route", "session_id", "trace", "preset", "transforms", "store", "debug":
		return true
	}
	return false
}

// ResponsesDecoder returns the decoder of an answer to EncodeResponses. Its
// events have what the gateway has to know; the answer itself is in their Raw.
func (a *Adapter) ResponsesDecoder() codec.Decoder {
	return codec.Relay(&responsesDecoder{a: a}, func(name []byte) bool {
		switch string(name) {
		case "response.created", "response.in_progress", "response.queued", "keepalive":
			return true
		}
		return false
	})
}

// responsesDecoder reads the events of the Responses API.
type responsesDecoder struct {
	a     *Adapter
	usage chat.Usage
	done  bool
	calls int
	// searches and tools count the calls of the provider's own.
	searches, tools int64
}

// Event implements codec.Decoder.
func (d *responsesDecoder) Event(name, data []byte, out []chat.Event) ([]chat.Event, error) {
	if err := rawjson.Valid(data); err != nil {
		if string(data) == "[DONE]" {
			return out, nil
		}
		return out, &fault.Error{Kind: fault.Unavailable, Message: "The upstream's answer is not valid JSON", Err: err}
	}
	if kind := rawjson.Inner(chat.Member(data, "type")); len(kind) > 0 {
		name = kind
	}
	switch string(name) {
	case "response.output_text.delta":
		return append(out, chat.Event{Content: chat.Member(data, "delta")}), nil
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		return append(out, chat.Event{Reasoning: chat.Member(data, "delta")}), nil
	case "response.refusal.delta":
		return append(out, chat.Event{Refusal: chat.Member(data, "delta")}), nil
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		return append(out, chat.Event{Tools: []chat.ToolDelta{{Arguments: chat.Member(data, "delta")}}}), nil
	case "response.output_item.added":
		d.count(chat.Member(data, "item"))
	case "response.created":
		return append(out, chat.Event{ID: chat.Member(chat.Member(data, "response"), "id")}), nil
	case "response.completed", "response.incomplete", "response.failed":
		return d.end(chat.Member(data, "response"), out)
	case "error":
		return out, d.a.Fault(0, data)
	}
	return out, nil
}

// Body implements codec.Decoder.
func (d *responsesDecoder) Body(body []byte, out []chat.Event) ([]chat.Event, error) {
	if err := rawjson.Valid(body); err != nil {
		return out, &fault.Error{Kind: fault.Unavailable, Message: "The upstream's answer is not valid JSON", Err: err}
	}
	out = append(out, chat.Event{ID: chat.Member(body, "id")})
	for item := range rawjson.Elements(chat.Member(body, "output")) {
		d.count(item)
		for part := range rawjson.Elements(chat.Member(item, "content")) {
			if text := chat.Member(part, "text"); len(text) > 2 {
				out = append(out, chat.Event{Content: text})
			}
		}
	}
	return d.end(body, out)
}

// count counts the calls of tools, the client's and the provider's own.
func (d *responsesDecoder) count(item []byte) {
	switch string(rawjson.Inner(chat.Member(item, "type"))) {
	case "function_call", "custom_tool_call":
		d.calls++
	case "web_search_call":
		d.searches++
	case "file_search_call", "code_interpreter_call":
		d.tools++
	}
}

// end reads the response object that completes an answer.
func (d *responsesDecoder) end(response []byte, out []chat.Event) ([]chat.Event, error) {
	status := string(rawjson.Inner(chat.Member(response, "status")))
	if status == "failed" || status == "cancelled" {
		body := append(append([]byte(`{"error":`), chat.Member(response, "error")...), '}')
		return out, d.a.Fault(0, body)
	}
	d.done = true
	d.readUsage(chat.Member(response, "usage"))
	ev := chat.Event{Finish: chat.FinishStop, Native: chat.Member(response, "status"), Done: true}
	if d.calls > 0 {
		ev.Finish = chat.FinishToolCalls
	}
	if reason := chat.Member(chat.Member(response, "incomplete_details"), "reason"); status == "incomplete" {
		ev.Native, ev.Finish = reason, chat.FinishLength
		if string(rawjson.Inner(reason)) == "content_filter" {
			ev.Finish = chat.FinishContentFilter
		}
	}
	if !d.usage.Zero() {
		ev.Usage = &d.usage
	}
	if tier := chat.Member(response, "service_tier"); len(tier) > 2 && tier[0] == '"' {
		ev.ServiceTier = tier
	}
	return append(out, ev), nil
}

func (d *responsesDecoder) readUsage(raw []byte) {
	u := &d.usage
	for _, f := range []struct {
		into *int64
		raw  []byte
	}{
		{&u.Prompt, chat.Member(raw, "input_tokens")},
		{&u.Completion, chat.Member(raw, "output_tokens")},
		{&u.CacheRead, chat.Member(chat.Member(raw, "input_tokens_details"), "cached_tokens")},
		{&u.CacheWrite, chat.Member(chat.Member(raw, "input_tokens_details"), "cache_write_tokens")},
		{&u.Reasoning, chat.Member(chat.Member(raw, "output_tokens_details"), "reasoning_tokens")},
		{&u.PromptAudio, chat.Member(chat.Member(raw, "input_tokens_details"), "audio_tokens")},
		{&u.PromptImage, chat.Member(chat.Member(raw, "input_tokens_details"), "image_tokens")},
		{&u.CompletionAudio, chat.Member(chat.Member(raw, "output_tokens_details"), "audio_tokens")},
		{&u.CompletionImage, chat.Member(chat.Member(raw, "output_tokens_details"), "image_tokens")},
	} {
		if n := chat.Tokens(f.raw); n > 0 {
			*f.into = n
		}
	}
	u.Cost = chat.MoneyText(chat.Member(raw, "cost"))
	if u.BYOK = string(chat.Member(raw, "is_byok")) == "true"; u.BYOK {
		u.InferenceCost = chat.MoneyText(chat.Member(chat.Member(raw, "cost_details"), "upstream_inference_cost"))
	}
	u.WebSearches, u.ServerTools = d.searches, d.tools
}

// EOF implements codec.Decoder. Only the response object ends an answer.
func (d *responsesDecoder) EOF(out []chat.Event) ([]chat.Event, error) {
	if !d.done {
		return out, fault.New(fault.Unavailable, "The upstream ended the stream before the answer was complete")
	}
	return out, nil
}

// OwnHost reports whether a base URL is that of OpenAI itself.
func OwnHost(baseURL string) bool {
	u, err := url.Parse(baseURL)
	return err == nil && u.Hostname() == "api.openai.com"
}
