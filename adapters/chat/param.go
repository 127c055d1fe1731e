package chat

// Param is a member of a request that the gateway knows by name.
type Param uint8

// The known parameters. Other is every member that is not listed: it
// is passed on to the upstream unseen.
const (
	Other Param = iota
	Model
	Models
	Route
	Messages
	Prompt
	Stream
	StreamOptions
	UsageOption
	Temperature
	TopP
	TopK
	MinP
	TopA
	RepetitionPenalty
	FrequencyPenalty
	PresencePenalty
	Seed
	MaxTokens
	MaxCompletionTokens
	Stop
	LogitBias
	Logprobs
	TopLogprobs
	N
	ResponseFormat
	StructuredOutputs
	Tools
	ToolChoice
	ParallelToolCalls
	Reasoning
	ReasoningEffort
	IncludeReasoning
	Thinking
	Verbosity
	Provider
	Transforms
	Plugins
	User
	SessionID
	Metadata
	Trace
	ServiceTier
	Prediction
	Modalities
	Audio
	ImageConfig
	WebSearchOptions
	Preset
	CacheControl
	PromptCacheKey
	StopServerToolsWhen
	Debug
	NumParams
)

// ParamOf returns the parameter of a member's name.
func ParamOf(key []byte) Param {
	switch string(key) {
	case "model":
		return Model
	case "models":
		return Models
	case "route":
		return Route
	case "messages":
		return Messages
	case "prompt":
		return Prompt
	case "stream":
		return Stream
	case "stream_options":
		return StreamOptions
	case "usage":
		return UsageOption
	case "temperature":
		return Temperature
	case "top_p":
		return TopP
	case "top_k":
		return TopK
	case "min_p":
		return MinP
	case "top_a":
		return TopA
	case "repetition_penalty":
		return RepetitionPenalty
	case "frequency_penalty":
		return FrequencyPenalty
	case "presence_penalty":
		return PresencePenalty
	case "seed":
		return Seed
	}
	return outputOf(key)
}

// outputOf covers what shapes the answer.
func outputOf(key []byte) Param {
	switch string(key) {
	case "max_tokens":
		return MaxTokens
	case "max_completion_tokens":
		return MaxCompletionTokens
	case "stop":
		return Stop
	case "logit_bias":
		return LogitBias
	case "logprobs":
		return Logprobs
	case "top_logprobs":
		return TopLogprobs
	case "n":
		return N
	case "response_format":
		return ResponseFormat
	case "structured_outputs":
		return StructuredOutputs
	case "tools":
		return Tools
	case "tool_choice":
		return ToolChoice
	case "parallel_tool_calls":
		return ParallelToolCalls
	}
	return extensionOf(key)
}

// extensionOf covers what OpenRouter and newer APIs added.
func extensionOf(key []byte) Param {
	switch string(key) {
	case "reasoning":
		return Reasoning
	case "reasoning_effort":
		return ReasoningEffort
	case "include_reasoning":
		return IncludeReasoning
	case "thinking":
		return Thinking
	case "verbosity":
		return Verbosity
	case "provider":
		return Provider
	case "transforms":
		return Transforms
	case "plugins":
		return Plugins
	case "user":
		return User
	case "session_id":
		return SessionID
	case "metadata":
		return Metadata
	case "trace":
		return Trace
	case "service_tier":
		return ServiceTier
	case "prediction":
		return Prediction
	case "modalities":
		return Modalities
	case "audio":
		return Audio
	case "image_config":
		return ImageConfig
	case "web_search_options":
		return WebSearchOptions
	case "preset":
		return Preset
	case "cache_control":
		return CacheControl
	case "prompt_cache_key":
		return PromptCacheKey
	case "stop_server_tools_when":
		return StopServerToolsWhen
	case "debug":
		return Debug
	}
	return Other
}

// ParamSet is a set of parameters.
type ParamSet uint64

// SetOf returns the set of the given parameters.
func SetOf(params ...Param) ParamSet {
	var s ParamSet
	for _, p := range params {
		s |= 1 << p
	}
	return s
}

// NamedSet returns the set of the parameters with these names; names that are
// not known are left out.
func NamedSet(names []string) ParamSet {
	var s ParamSet
	for _, n := range names {
		if p := ParamOf([]byte(n)); p != Other {
			s |= 1 << p
		}
	}
	return s
}

// Has reports whether p is in the set.
func (s ParamSet) Has(p Param) bool { return s&(1<<p) != 0 }

// Names returns the names of the set's members.
func (s ParamSet) Names() []string {
	var names []string
	for p := Model; p < NumParams; p++ {
		if s.Has(p) {
			names = append(names, p.String())
		}
	}
	return names
}
