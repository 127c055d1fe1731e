package openai_test

import "testing"

// Earlier reasoning goes back in the form that the server reads, and signed
// blocks only to the family that made them.
func TestEarlierReasoning(t *testing.T) {
	const (
		call    = `"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]`
		result  = `,{"role":"tool","tool_call_id":"c","content":"r"}`
		claude  = `{"type":"reasoning.text","text":"hm","signature":"S","format":"anthropic-claude-v1","index":0}`
		gemini  = `{"type":"reasoning.encrypted","data":"D","id":"c","format":"google-gemini-v1","index":1}`
		minimax = `{"type":"reasoning.text","text":"hm","format":"MiniMax-response-v1","index":0}`
		unknown = `{"type":"reasoning.summary","summary":"sum","format":"unknown","index":2}`
	)
	turn := func(members string) string {
		return user + `,{"role":"assistant","content":"a"` + sep(members) + members + `},` + user
	}
	f := func(kind, model, members, want string) {
		t.Helper()
		more := map[string]string{"openrouter": `"usage":{"include":true}`}[kind]
		rewrites(t, endpoint(kind, model), turn(members), turn(want), more)
	}
	f("openai_compat", "m", `"reasoning":"hm","reasoning_details":[`+claude+`]`, ``)
	f("openai_compat", "kimi-k2", `"reasoning":"hm"`, `"reasoning_content":"hm"`)
	f("vllm", "m", `"reasoning_content":"hm"`, `"reasoning":"hm","reasoning_content":"hm"`)
	f("vllm", "m", `"reasoning_details":[`+claude+`,`+gemini+`,`+unknown+`]`, `"reasoning":"hmsum","reasoning_content":"hmsum"`)
	f("vllm", "m", `"reasoning_details":[`+gemini+`]`, ``)
	f("sglang", "m", `"reasoning":"hm"`, `"reasoning_content":"hm"`)
	f("ollama", "m", `"reasoning":"hm","reasoning_content":"hm"`, `"reasoning":"hm"`)
	f("zhipu", "m", `"reasoning":"hm"`, `"reasoning_content":"hm"`)
	f("groq", "m", `"reasoning":"hm"`, ``)

	f("deepseek", "deepseek-reasoner", `"reasoning":"hm",`+call, `"reasoning_content":"hm",`+call)
	f("deepseek", "deepseek-reasoner", call, `"reasoning_content":"",`+call)
	f("deepseek", "deepseek-reasoner", ``, ``)
	f("deepseek", "deepseek-chat", call, call)

	f("openrouter", "anthropic/claude", `"reasoning":"hm","reasoning_details":[`+claude+`]`, `"reasoning":"hm","reasoning_details":[`+claude+`]`)
	f("openrouter", "anthropic/claude", `"reasoning_details":[`+claude+`,`+gemini+`,`+unknown+`]`, `"reasoning_details":[`+claude+`,`+unknown+`]`)
	f("openrouter", "google/gemini", `"reasoning_details":[`+claude+`]`, `"reasoning":"hm"`)
	f("openrouter", "z-ai/glm", `"reasoning_details":[`+unknown+`,`+gemini+`]`, `"reasoning_details":[`+unknown+`]`)
	f("openrouter", "openrouter/auto", `"reasoning_details":[`+claude+`,`+gemini+`]`, `"reasoning_details":[`+claude+`,`+gemini+`]`)

	f("minimax", "m", `"reasoning_details":[`+minimax+`]`, `"reasoning_details":[`+minimax+`]`)
	rewrites(t, endpoint("minimax", "m"), turn(`"reasoning":"hm \"x\""`), user+`,{"role":"assistant","content":"<think>\nhm \"x\"\n</think>\n\na"},`+user, "")
	rewrites(t, endpoint("minimax", "m"), turn(`"reasoning_details":[`+claude+`]`), user+`,{"role":"assistant","content":"<think>\nhm\n</think>\n\na"},`+user, "")
	rewrites(t, endpoint("minimax", "m"), user+`,{"role":"assistant","content":null,"reasoning":"hm",`+call+`}`+result,
		user+`,{"role":"assistant","content":"<think>\nhm\n</think>\n\n",`+call+`}`+result, "")
	rewrites(t, endpoint("minimax", "m"), user+`,{"role":"assistant","content":[{"type":"text","text":"a"}],"reasoning":"hm"},`+user,
		user+`,{"role":"assistant","content":[{"type":"text","text":"<think>\nhm\n</think>\n\n"},{"type":"text","text":"a"}]},`+user, "")
}

// A client that wants no thinking needs no place-holder for it.
func TestNoPlaceholderWithoutThinking(t *testing.T) {
	const history = user + `,{"role":"assistant","content":"","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},` +
		`{"role":"tool","tool_call_id":"c","content":"r"}`
	encodesAll(t, "deepseek", `{"reasoning":{"enabled":false},"messages":[`+history+`]}`, `{"model":"m","thinking":{"type":"disabled"},"messages":[`+history+`]}`)
}
