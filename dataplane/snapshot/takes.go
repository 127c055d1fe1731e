package snapshot

import (
	"slices"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
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
		chat.ImageConfig, chat.WebSearchOptions, chat.ToolChoice)
}

// ToolChoice says which values of tool_choice an endpoint takes.
type ToolChoice struct {
	Auto     bool `json:"auto"`
	None     bool `json:"none"`
	Required bool `json:"required"`
	Function bool `json:"function"`
}

// takes asks an adapter what it takes.
func takes(a codec.Adapter, probes []probe) (set chat.ParamSet, choice ToolChoice) {
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
		return set &^ chat.SetOf(chat.ToolChoice, chat.ParallelToolCalls), ToolChoice{}
	}
	if !choice.Required || !choice.Function { // whoever takes tools can do without a choice
		set &^= chat.SetOf(chat.ToolChoice)
	}
	return set, choice
}

// advertised returns the names of what a client may send to a model's
// endpoint, sorted: what the configuration says of the model, as far as the
// endpoint takes it.
func advertised(m *Model, e *Endpoint) []string {
	out := []string{}
	if m.Type != "chat" {
		return out
	}
	declared := chat.SetOf(chat.MaxTokens, chat.MaxCompletionTokens, chat.Temperature, chat.TopP, chat.Stop) | chat.NamedSet(m.SupportedParameters)
	if m.SupportsTools {
		declared |= chat.SetOf(chat.Tools, chat.ToolChoice, chat.ParallelToolCalls)
	}
	if m.SupportsStructured {
		declared |= chat.SetOf(chat.ResponseFormat, chat.StructuredOutputs)
	}
	if declared&chat.SetOf(chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning, chat.Thinking) != 0 {
		declared |= chat.SetOf(chat.Reasoning, chat.ReasoningEffort, chat.IncludeReasoning)
	}
	// SDKs take these names only
	declared &^= chat.SetOf(chat.N, chat.Thinking, chat.Modalities, chat.Audio, chat.ImageConfig)
	out = append(out, (declared & e.Takes & Routable()).Names()...)
	slices.SortFunc(out, strings.Compare)
	return out
}

// common returns what every endpoint of a model is advertised to take.
func common(m *Model) []string {
	if len(m.Endpoints) == 0 {
		return []string{}
	}
	out := slices.Clone(m.Endpoints[0].Parameters)
	for _, e := range m.Endpoints[1:] {
		out = slices.DeleteFunc(out, func(name string) bool { return !slices.Contains(e.Parameters, name) })
	}
	return out
}
