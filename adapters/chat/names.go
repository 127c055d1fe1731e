package chat

// String returns the parameter's name in a request.
func (p Param) String() string {
	names := [...]string{
		"other", "model", "models", "route", "messages", "prompt", "stream", "stream_options", "usage", "temperature", "top_p",
		"top_k", "min_p", "top_a", "repetition_penalty", "frequency_penalty", "presence_penalty", "seed", "max_tokens",
		"max_completion_tokens", "stop", "logit_bias", "logprobs", "top_logprobs", "n", "response_format", "structured_outputs",
		"tools", "tool_choice", "parallel_tool_calls", "reasoning", "reasoning_effort", "include_reasoning", "thinking",
		"verbosity", "provider", "transforms", "plugins", "user", "session_id", "metadata", "trace", "service_tier",
		"prediction", "modalities", "audio", "image_config", "web_search_options", "preset", "cache_control",
		"prompt_cache_key", "stop_server_tools_when", "debug",
	}
	if int(p) < len(names) {
		return names[p]
	}
	return "other"
}
