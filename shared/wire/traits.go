package wire

// Traits are what requests to a model have to mind. In a release they override
// what the gateway's own table says of the model; "" and nil leave that as it is.
type Traits struct {
	// MaxTokensField is the name of the length limit: max_tokens,
	// max_completion_tokens, or as_sent for the one that the client used.
	MaxTokensField string `json:"max_tokens_field,omitempty"`
	// Sampling says when temperature, top_p and their like are taken: always,
	// one_of (temperature or top_p), without_thinking, never.
	Sampling string `json:"sampling,omitempty"`
	// Efforts are the levels of reasoning effort, of none, minimal, low, medium,
	// high, xhigh and max. Others go to the nearest.
	Efforts []string `json:"efforts,omitempty"`
	// Thinking is how a model is asked to think: never, budget, budget_or_adaptive,
	// adaptive, level.
	Thinking string `json:"thinking,omitempty"`
	// ThinkingDefault is what the model does unasked: on, off.
	ThinkingDefault string `json:"thinking_default,omitempty"`
	// ThinkingOff is how thinking is switched off: disabled, between_tools,
	// lowest_effort.
	ThinkingOff string `json:"thinking_off,omitempty"`
	// ForcedTools says when a tool_choice may force a call: always,
	// without_thinking, never.
	ForcedTools string `json:"forced_tools,omitempty"`
	// Schema is what holds an answer to a schema: json_schema, json_object, none.
	Schema string `json:"schema,omitempty"`
	// Prefill says whether the model continues a last message of the assistant:
	// yes, no.
	Prefill string `json:"prefill,omitempty"`
	// SystemMessages says where system messages may stand: anywhere, leading.
	SystemMessages string `json:"system_messages,omitempty"`
	// ThinkingBinding says whether thinking blocks are bound to the conversation
	// before them: yes, no.
	ThinkingBinding string `json:"thinking_binding,omitempty"`
}
