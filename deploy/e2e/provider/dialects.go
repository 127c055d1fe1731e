package provider

// ownHardware are the servers of the OpenAI-compatible family that one runs
// oneself, by the name of their place on the server.
func ownHardware() map[string]dialect {
	return map[string]dialect{
		"openai_compat": {developer: true, thoughts: nowhere, callID: "call_Zk1xOa0", top: `,"service_tier":"default","system_fingerprint":"fp_1","obfuscation":"x8"`},
		"vllm": {
			thoughts: inBoth, callID: "chatcmpl-tool-6d1f", choice: `,"stop_reason":null,"token_ids":null`, history: thoughtsIn("reasoning", "reasoning_content"),
			check: oneSystemMessage, refusal: `{"object":"error","message":%q,"type":"BadRequestError","param":null,"code":400}`,
		},
		"sglang": {
			callID: "call_0a1b2c3d4e5f60718293a4b5", allKeys: true, choice: `,"matched_stop":null`, history: thoughtsIn("reasoning_content"),
			check: oneSystemMessage, refusal: `{"object":"error","message":%q,"type":"BadRequest","param":null,"code":400}`,
		},
		"ollama": {
			thoughts: inReasoning, callID: "call_l2k9d0ab", callInOnePiece: true, everyRole: true, top: `,"system_fingerprint":"fp_ollama"`,
			refuses: []string{"logit_bias", "parallel_tool_calls", "user", "tool_choice"},
		},
	}
}

// hosted are the services of that family.
func hosted() map[string]dialect {
	return map[string]dialect{
		"deepseek": {
			usage: withFinish, callID: "call_00_xYz", comment: ": keep-alive\n\n", padded: true, history: thoughtsIn("reasoning_content"),
			refuses: []string{"seed", "user", "parallel_tool_calls", "max_completion_tokens", "reasoning"},
		},
		"zhipu": {
			path: "/api/paas/v4/chat/completions", usage: withFinish, everyRole: true, callInOnePiece: true, callID: "call_-7807249954186984837",
			refuses: []string{"seed", "user", "parallel_tool_calls", "max_completion_tokens", "reasoning", "presence_penalty"},
			refusal: `{"error":{"code":"1210","message":%q}}`,
		},
		"minimax": {
			thoughts: inSplitDetails, callID: "call_function_m4x_1", noDone: true, check: miniMaxCheck, history: splitDetails,
			top:     `,"input_sensitive":false,"output_sensitive":false,"base_resp":{"status_code":0,"status_msg":""}`,
			refusal: `{"base_resp":{"status_code":2013,"status_msg":%q}}`,
		},
		"chutes": {
			thoughts: inReasoning, callID: "functions.get_weather:0", check: oneSystemMessage, choice: `,"matched_stop":null`, refusal: `{"detail":%q}`,
		},
		"featherless": {thoughts: inTags, callID: "call_f0", check: oneSystemMessage, refuses: []string{"parallel_tool_calls", "max_completion_tokens", "n"}},
		"groq": {
			thoughts: inReasoning, usage: twice, callID: "call_g9tq", top: `,"x_groq":{"id":"req_1"}`, history: noThoughts,
			refuses: []string{"logprobs", "logit_bias", "top_k"},
		},
		"openai": {developer: true, thoughts: nowhere, callID: "call_Qm2xOa0", top: `,"service_tier":"default","system_fingerprint":null`},
		"azure":  {path: "/openai/deployments/our-gpt-4.1/chat/completions", azure: true, developer: true, thoughts: nowhere, callID: "call_Az2xOa0", choice: `,"content_filter_results":{}`},
		"mistral": {
			thoughts: inParts, usage: withFinish, callInOnePiece: true, callID: "D681PevKs", history: noThoughts,
			refuses: []string{"seed", "user", "stream_options", "max_completion_tokens", "reasoning", "logprobs"},
			refusal: `{"object":"error","message":{"detail":[{"type":"extra_forbidden","msg":%q}]},"type":"invalid_request_error","param":null,"code":null}`,
		},
		"xai": {
			callInOnePiece: true, callID: "call_12345678", history: thoughtsIn("reasoning_content"), refuses: []string{"stop", "presence_penalty", "logit_bias"},
			refusal: `{"code":"Client specified an invalid argument","error":%q}`,
		},
		"together":  {thoughts: inReasoning, usage: withFinish, callID: "call_t0g", history: thoughtsIn("reasoning"), refuses: []string{"user", "parallel_tool_calls", "max_completion_tokens"}},
		"fireworks": {path: "/inference/v1/chat/completions", usage: withFinish, callID: "call_fw1", history: thoughtsIn("reasoning_content"), refuses: []string{"max_completion_tokens"}},
		"moonshot": {
			usage: withFinish, callID: "get_weather:0", history: thoughtsIn("reasoning_content"),
			refuses: []string{"temperature", "top_p", "reasoning_effort", "reasoning", "max_tokens", "parallel_tool_calls"},
		},
		"qwen": {
			path: "/compatible-mode/v1/chat/completions", callID: "call_9c1f", allKeys: true, history: thoughtsIn("reasoning_content"), check: qwenCheck,
			refuses: []string{"reasoning_effort", "reasoning", "thinking", "user", "max_completion_tokens"},
			refusal: `{"error":{"code":"invalid_parameter_error","param":null,"message":%q,"type":"invalid_request_error"},"request_id":"r1"}`,
		},
		"openrouter": {
			path: "/api/v1/chat/completions", developer: true, thoughts: inDetails, usage: repeatingFinish, everyRole: true, comment: ": OPENROUTER PROCESSING\n\n", padded: true,
			callID: "toolu_01abc", top: `,"provider":"Anthropic"`, choice: `,"native_finish_reason":"end_turn"`, history: signedDetails, check: openRouterCheck(nil),
		},
		"openrouter-pinned": {
			path: "/api/v1/chat/completions", developer: true, thoughts: inDetails, usage: repeatingFinish, everyRole: true, comment: ": OPENROUTER PROCESSING\n\n",
			callID: "toolu_01abd", top: `,"provider":"DeepInfra"`, choice: `,"native_finish_reason":"stop"`, history: signedDetails,
			check: openRouterCheck(map[string]any{"order": []any{"deepinfra"}, "allow_fallbacks": false}),
		},
	}
}

// thoughtsIn demands the thoughts of the earlier turn, in all of these members.
func thoughtsIn(names ...string) func(*complaints, map[string]any) {
	return func(c *complaints, assistant map[string]any) {
		for _, name := range names {
			c.want(name+" of the earlier turn", text(assistant, name), first)
		}
	}
}

func noThoughts(c *complaints, assistant map[string]any) {
	c.only("the earlier turn", assistant, "role", "content", "tool_calls", "name")
}

// splitDetails demands the thoughts as they were sent, or in the text if the
// client's language has lost their form.
func splitDetails(c *complaints, assistant map[string]any) {
	if text(assistant, "content") == "<think>\n"+first+"\n</think>\n\n" {
		return
	}
	c.want("reasoning_details of the earlier turn", assistant["reasoning_details"], []any{
		map[string]any{"type": "reasoning.text", "text": first, "id": "reasoning-text-1", "format": "MiniMax-response-v1", "index": 0.0},
	})
}

// signedDetails demands the reasoning details as they were, in one piece.
func signedDetails(c *complaints, assistant map[string]any) {
	c.want("reasoning_details of the earlier turn", assistant["reasoning_details"], []any{
		map[string]any{"type": "reasoning.text", "text": first, "signature": signature, "format": "anthropic-claude-v1", "index": 0.0},
	})
}

// oneSystemMessage is what most chat templates demand.
func oneSystemMessage(c *complaints, r *request) {
	for i, m := range list(r.body, "messages") {
		if i > 0 && text(m, "role") == "system" {
			c.sayf("messages[%d] is a system message, which has to be the first", i)
		}
	}
}

func qwenCheck(c *complaints, r *request) {
	oneSystemMessage(c, r)
	if list(r.body, "tools") != nil {
		c.want("enable_thinking", r.body["enable_thinking"], true)
		if budget, ok := r.body["thinking_budget"].(float64); !ok || budget < 1 {
			c.sayf("thinking_budget %v is not positive", r.body["thinking_budget"])
		}
	}
}

func miniMaxCheck(c *complaints, r *request) {
	if t, ok := r.body["temperature"].(float64); ok && (t <= 0 || t > 1) {
		c.sayf("temperature %v is not in (0, 1]", t)
	}
	c.want("reasoning_split", r.body["reasoning_split"], true)
	c.without("the body", r.body, "max_tokens", "n", "logit_bias", "reasoning", "reasoning_effort")
	for _, tool := range list(r.body, "tools") {
		c.want("a function has parameters", object(tool, "function", "parameters") != nil, true)
	}
}

func openRouterCheck(provider map[string]any) func(*complaints, *request) {
	return func(c *complaints, r *request) {
		c.want("usage.include", at(r.body, "usage", "include"), true)
		c.want("provider", object(r.body, "provider"), provider)
		if list(r.body, "tools") != nil && text(r.body, "reasoning_effort") != "low" && text(r.body, "reasoning", "effort") != "low" && at(r.body, "reasoning", "max_tokens") != 1024.0 {
			c.sayf("neither effort nor budget arrived: %v", r.body["reasoning"])
		}
	}
}
