package snapshot

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/catalog"
)

// probe is a small request with one parameter, or one value of a parameter,
// that an endpoint may take or not.
type probe struct {
	param  chat.Param
	choice string // the tool_choice, for that parameter only
	req    chat.Request
}

// newProbes returns a request for each parameter that endpoints differ in.
// What an endpoint takes is then not a table to be kept, but what its adapter
// does.
func newProbes() []probe {
	const tool = `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]`
	var out []probe
	add := func(p chat.Param, choice, members string) {
		body := `{"model":"m","messages":[{"role":"user","content":"x"}],` + members + `}`
		pr := probe{param: p, choice: choice}
		if err := pr.req.Parse([]byte(body)); err != nil {
			panic("BUG: " + err.Error())
		}
		out = append(out, pr)
	}
	for _, v := range [...]struct {
		param   chat.Param
		members string
	}{
		{chat.Temperature, `"temperature":0.5`},
		{chat.TopP, `"top_p":0.5`},
		{chat.TopK, `"top_k":5`},
		{chat.MinP, `"min_p":0.1`},
		{chat.TopA, `"top_a":0.1`},
		{chat.RepetitionPenalty, `"repetition_penalty":1.1`},
		{chat.FrequencyPenalty, `"frequency_penalty":0.1`},
		{chat.PresencePenalty, `"presence_penalty":0.1`},
		{chat.Seed, `"seed":1`},
		{chat.MaxTokens, `"max_tokens":16`},
		{chat.MaxCompletionTokens, `"max_completion_tokens":16`},
		{chat.Stop, `"stop":["x"]`},
		{chat.N, `"n":2`},
		{chat.LogitBias, `"logit_bias":{"1":1}`},
		{chat.Logprobs, `"logprobs":true`},
		{chat.TopLogprobs, `"logprobs":true,"top_logprobs":1`},
		{chat.ResponseFormat, `"response_format":{"type":"json_object"}`},
		{chat.StructuredOutputs, `"structured_outputs":true`},
		{chat.Tools, tool},
		{chat.ParallelToolCalls, tool + `,"parallel_tool_calls":true`},
		{chat.Reasoning, `"max_tokens":4096,"reasoning":{"effort":"low"}`},
		{chat.ReasoningEffort, `"max_tokens":4096,"reasoning_effort":"low"`},
		{chat.IncludeReasoning, `"include_reasoning":true`},
		{chat.Thinking, `"max_tokens":4096,"thinking":{"type":"enabled","budget_tokens":1024}`},
		{chat.Verbosity, `"verbosity":"low"`},
		{chat.Prediction, `"prediction":{"type":"content","content":"x"}`},
		{chat.Modalities, `"modalities":["text"]`},
		{chat.Audio, `"audio":{"voice":"alloy","format":"wav"}`},
		{chat.ImageConfig, `"image_config":{"aspect_ratio":"1:1"}`},
		{chat.WebSearchOptions, `"web_search_options":{}`},
		{chat.Plugins, `"plugins":[{"id":"web"}]`},
		{chat.Preset, `"preset":"x"`},
		{chat.Transforms, `"transforms":["middle-out"]`},
	} {
		add(v.param, "", v.members)
	}
	for _, choice := range []string{"none", "auto", "required"} {
		add(chat.ToolChoice, choice, tool+`,"tool_choice":"`+choice+`"`)
	}
	add(chat.ToolChoice, "function", tool+`,"tool_choice":{"type":"function","function":{"name":"f"}}`)
	return out
}

// Routable are the parameters that an endpoint takes or does not: those by
// which provider.require_parameters decides. All others are the gateway's own
// business or go to every upstream alike.
func Routable() chat.ParamSet {
	return chat.SetOf(chat.Temperature, chat.TopP, chat.TopK, chat.MinP, chat.TopA, chat.RepetitionPenalty, chat.FrequencyPenalty,
		chat.PresencePenalty, chat.Seed, chat.MaxTokens, chat.MaxCompletionTokens, chat.Stop, chat.N, chat.LogitBias, chat.Logprobs,
		chat.TopLogprobs, chat.ResponseFormat, chat.StructuredOutputs, chat.Tools, chat.ParallelToolCalls, chat.Reasoning,
		chat.ReasoningEffort, chat.IncludeReasoning, chat.Thinking, chat.Verbosity, chat.Prediction, chat.Modalities, chat.Audio,
		chat.ImageConfig, chat.WebSearchOptions, chat.ToolChoice, chat.Plugins, chat.Preset, chat.Transforms)
}

// takes asks an adapter what it takes.
func takes(a codec.Adapter, probes []probe) (set chat.ParamSet, choice catalog.ToolChoice) {
	var call codec.Call
	for i := range probes {
		p := &probes[i]
		call.Reset()
		ok := a.Encode(&p.req, &call) == nil && !call.Dropped.Has(p.param)
		switch p.choice {
		case "auto":
			choice.Auto = ok
		case "none":
			choice.None = ok
		case "required":
			choice.Required = ok
		case "function":
			choice.Function = ok
		}
		if ok {
			set |= chat.SetOf(p.param)
		}
	}
	if !set.Has(chat.Tools) {
		return set &^ chat.SetOf(chat.ToolChoice, chat.ParallelToolCalls), catalog.ToolChoice{}
	}
	if !choice.Required || !choice.Function { // whoever takes tools can do without a choice
		set &^= chat.SetOf(chat.ToolChoice)
	}
	return set, choice
}
