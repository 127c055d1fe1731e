package openai_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// rewrites checks the messages, and what else follows from them.
func rewrites(t *testing.T, s codec.Settings, messages, want, more string) {
	t.Helper()
	call := adaptertest.Encode(t, adapter(t, s), []byte(`{"messages":[`+messages+`]}`))
	compare(t, messages, call, `{"model":"`+s.Model+`","messages":[`+want+`]`+sep(more)+more+`}`, nil)
}

const user = `{"role":"user","content":"x"}`

func TestMessages(t *testing.T) {
	f := func(kind, messages, want string) {
		t.Helper()
		rewrites(t, endpoint(kind, "m"), messages, want, "")
	}
	f("openai_compat", `{"role":"developer","content":"a"},`+user, `{"role":"developer","content":"a"},`+user)
	f("vllm", `{"role":"developer","content":"a"},`+user, `{"role":"system","content":"a"},`+user)
	f("vllm", `{"role":"user","content":"x","name":null}`, user)
	f("vllm", `{"role":"user","content":null}`, `{"role":"user","content":null}`)
	f("vllm", `{"role":"system","content":"a"},{"role":"developer","content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]},`+user,
		`{"role":"system","content":"a\n\nb\nc"},`+user)
	f("vllm", `{"role":"system","content":"a"},{"role":"system","content":"b"}`, `{"role":"system","content":"a\n\nb"}`)
	f("vllm", `{"role":"system","content":"a"},`+user+`,{"role":"system","content":"b"},`+user,
		`{"role":"system","content":"a"},`+user+`,{"role":"user","content":"[Instruction from the system, not from the user]\nb"},`+user)
	f("deepseek", `{"role":"system","content":"a"},{"role":"system","content":"b"},`+user, `{"role":"system","content":"a"},{"role":"system","content":"b"},`+user)
	cached := `{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}],"cache_control":{"type":"ephemeral"}}`
	call := adaptertest.Encode(t, adapter(t, endpoint("vllm", "m")), []byte(`{"messages":[`+cached+`]}`))
	compare(t, cached, call, `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]}`, []string{"cache_control"})
	systems := `{"role":"system","content":"a"},{"role":"system","content":"b"},` + user + `,{"role":"system","content":"c"}`
	rewrites(t, endpoint("openai_compat", "Qwen/Qwen3.8-27B"), systems, `{"role":"system","content":"a\n\nb"},`+user+`,{"role":"user","content":"[Instruction from the system, not from the user]\nc"}`, "")
	f("groq", `{"role":"user","content":"x","annotations":[],"name":"n"}`, `{"role":"user","content":"x","name":"n"}`)
}

func TestPlainModelsGetPlainText(t *testing.T) {
	s := codec.Settings{Kind: "vllm", BaseURL: "http://upstream.test", Model: "m"}
	rewrites(t, s, `{"role":"user","content":[{"type":"text","text":"a \"b\""},{"type":"text","text":"c"}]}`, `{"role":"user","content":"a \"b\"\nc"}`, "")
	s.Kind = "openrouter"
	rewrites(t, s, `{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}`,
		`{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}`, `"usage":{"include":true}`)
}

func TestArgumentsOfEarlierCalls(t *testing.T) {
	call := func(arguments string) string {
		return user + `,{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":` + arguments +
			`}}]},{"role":"tool","tool_call_id":"c","content":"r"}`
	}
	f := func(arguments, want string) {
		t.Helper()
		rewrites(t, endpoint("vllm", "m"), call(arguments), call(want), "")
	}
	f(`"{\"a\":1}"`, `"{\"a\":1}"`)
	f(`"{\"a\":"`, `"{\"arguments\":\"{\\\"a\\\":\",\"note\":\"The arguments of this call were not a JSON object\"}"`)
	f(`""`, `"{}"`)
	f(`"[1]"`, `"{\"arguments\":\"[1]\",\"note\":\"The arguments of this call were not a JSON object\"}"`)
	f(`null`, `"{}"`)
	f(`{"a":1}`, `"{\"a\":1}"`)
	rewrites(t, endpoint("openai_compat", "m"), call(`"{"`), call(`"{"`), "")
}

func TestPrefill(t *testing.T) {
	const messages = user + `,{"role":"assistant","content":"So"}`
	rewrites(t, endpoint("vllm", "m"), messages, messages, `"continue_final_message":true,"add_generation_prompt":false`)
	rewrites(t, endpoint("sglang", "m"), messages, messages, `"continue_final_message":true`)
	rewrites(t, endpoint("openai_compat", "m"), messages, messages, "")
	call := adaptertest.Encode(t, adapter(t, endpoint("vllm", "m")), []byte(`{"messages":[`+messages+`],"continue_final_message":false}`))
	if strings.Count(string(call.Body), "continue_final_message") != 1 {
		t.Errorf("%s", call.Body)
	}
}

func TestOllamaTakesInlineImagesOnly(t *testing.T) {
	image := func(url string) string {
		return `{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + url + `"}}]}`
	}
	s := endpoint("ollama", "m")
	rewrites(t, s, image("data:image/png;base64,AA"), image("data:image/png;base64,AA"), "")
	var r chat.Request
	if err := r.Parse([]byte(`{"messages":[` + image("https://example.com/a.png") + `]}`)); err != nil {
		t.Fatal(err)
	}
	if err := adapter(t, s).Encode(&r, &codec.Call{}); fault.KindOf(err) != fault.InvalidRequest || !strings.Contains(err.Error(), "data: URLs") {
		t.Errorf("%v", err)
	}
}

// encodesAll checks a whole request.
func encodesAll(t *testing.T, kind, client, want string) {
	t.Helper()
	call := adaptertest.Encode(t, adapter(t, endpoint(kind, "m")), []byte(client))
	compare(t, client, call, want, nil)
}

// Only the leading run is the system prompt; what comes later stays in its
// place, behind the results of the calls before it.
func TestLateSystemMessages(t *testing.T) {
	const (
		system = `{"role":"system","content":"a"},`
		note   = `{"role":"system","content":"b"}`
		marked = `{"role":"user","content":"[Instruction from the system, not from the user]\nb"}`
		call   = `{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}`
		result = `{"role":"tool","tool_call_id":"c","content":"r"}`
	)
	f := func(kind, messages, want string) {
		t.Helper()
		rewrites(t, endpoint(kind, "m"), messages, want, "")
	}
	for _, kind := range []string{"vllm", "sglang", "ollama", "chutes", "featherless"} {
		f(kind, system+user+`,`+note, system+user+`,`+marked)
		f(kind, system+user+`,`+call+`,`+note+`,`+result+`,`+note+`,`+result+`,`+user, system+user+`,`+call+`,`+result+`,`+result+`,`+marked+`,`+marked+`,`+user)
		f(kind, user+`,`+call+`,`+note, user+`,`+call+`,`+marked)
	}
	f("openai_compat", system+user+`,`+note, system+user+`,`+note)
	f("openai_compat", user+`,`+call+`,`+note+`,`+result, user+`,`+call+`,`+result+`,`+note)
	f("vllm", user+`,`+call+`,`+result+`,`+note+`,`+call+`,`+result, user+`,`+call+`,`+result+`,`+marked+`,`+call+`,`+result)
	f("vllm", system+user+`,{"role":"developer","content":[{"type":"text","text":"b"}]}`, system+user+`,`+marked)
}

// Mistral wants an answer between results and what the user says next.
func TestAnswersToResults(t *testing.T) {
	const (
		call   = user + `,{"role":"assistant","content":null,"tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"},"id":"abcdefghi"}]},`
		result = `{"role":"tool","tool_call_id":"abcdefghi","content":"r"}`
		ok     = `,{"role":"assistant","content":"OK"},`
		note   = `{"role":"system","content":"b"}`
		marked = `{"role":"user","content":"[Instruction from the system, not from the user]\nb"}`
	)
	f := func(messages, want string) {
		t.Helper()
		rewrites(t, endpoint("mistral", "m"), messages, want, "")
	}
	f(call+result+`,`+result+`,`+user, call+result+`,`+result+ok+user)
	f(call+result+`,`+note+`,`+user, call+result+ok+marked+`,`+user)
	f(call+result, call+result)
}

// Blocks of Anthropic's own kinds reach no other server.
func TestForeignBlocks(t *testing.T) {
	const search = `{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","title":"T","url":"https://e.org","encrypted_content":"E"}]}`
	rewrites(t, endpoint("openai_compat", "m"), user+`,{"role":"assistant","content":[`+search+`,{"type":"text","text":"Based","citations":[{"url":"u"}]}]},`+user,
		user+`,{"role":"assistant","content":[{"type":"text","text":"T: https://e.org"},{"type":"text","text":"Based"}]},`+user, "")
	rewrites(t, endpoint("vllm", "m"), user+`,{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"x","input":{}}]},{"role":"tool","tool_call_id":"c","content":[{"type":"tool_reference","tool_name":"g"}]}`,
		user+`,{"role":"assistant","content":"[The assistant used a tool of its provider here]"},{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"g"}]}`, "")
	rewrites(t, endpoint("openai", "m"), user+`,{"role":"assistant","content":[{"type":"mcp_tool_result","content":[{"type":"text","text":"a"}]},{"type":"bash_code_execution_tool_result","content":{"stdout":"b","stderr":""}},
		{"type":"web_fetch_tool_result","content":{"url":"u","content":{"type":"document","source":{"type":"text","data":"c"}}}},{"type":"document","source":{"type":"content","content":[{"type":"text","text":"d"}]}},
		{"type":"image","source":{"type":"file","file_id":"f"}}]},`+user,
		user+`,{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"text","text":"u\nc"},{"type":"text","text":"d"},{"type":"text","text":"[A file that only its provider has]"}]},`+user, "")
	rewrites(t, endpoint("openai", "m"), user+`,{"role":"tool","tool_call_id":"c","content":"r","is_error":true},{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,AA"},"context":"x","citations":{"enabled":true}}]}`,
		user+`,{"role":"tool","tool_call_id":"c","content":"r"},{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,AA"}}]}`, "")
	s := endpoint("vllm", "m")
	s.Inputs = 0
	rewrites(t, s, user+`,{"role":"assistant","content":[`+search+`,{"type":"text","text":"Based"}]}`,
		user+`,{"role":"assistant","content":"T: https://e.org\nBased"}`, `"continue_final_message":true,"add_generation_prompt":false`)
}

// An image that a tool returned does not end the conversation of a model that
// takes none.
func TestMediaInResults(t *testing.T) {
	const call = user + `,{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},`
	const image = `{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}`
	const note = `[The tool returned image content, which this model cannot take]`
	result := func(content string) string {
		return call + `{"role":"tool","tool_call_id":"c","content":` + content + `}`
	}
	rewrites(t, endpoint("vllm", "m"), result(`[{"type":"text","text":"a"},`+image+`]`), result(`[{"type":"text","text":"a"},`+image+`]`), "")
	// OpenAI takes it from the user only
	const moved, behind = `{"type":"text","text":"[See the next message of the user]"}`, `{"role":"user","content":[{"type":"text","text":"[Content of the tool results above]"},` + image + `]}`
	s := endpoint("openai_compat", "m")
	rewrites(t, s, result(`[{"type":"text","text":"a"},`+image+`]`), result(`[{"type":"text","text":"a"},`+moved+`]`)+`,`+behind, "")
	const second = `,{"role":"tool","tool_call_id":"d","content":"b"},{"role":"assistant","content":"c"}`
	rewrites(t, s, result(`[`+image+`]`)+second, result(`[`+moved+`]`)+strings.Replace(second, `},{`, `},`+behind+`,{`, 1), "")
	s.Inputs = chat.HasAudio
	rewrites(t, s, result(`[{"type":"text","text":"a"},`+image+`]`), result(`[{"type":"text","text":"a"},{"type":"text","text":"`+note+`"}]`), "")
	s.Inputs = 0
	rewrites(t, s, result(`[`+image+`]`), result(`"`+note+`"`), "")
	var r chat.Request
	if err := r.Parse([]byte(`{"messages":[` + result(`[`+image+`]`) + `,{"role":"user","content":[` + image + `]}]}`)); err != nil {
		t.Fatal(err)
	}
	if err := adapter(t, s).Encode(&r, &codec.Call{}); fault.KindOf(err) != fault.InvalidRequest {
		t.Errorf("an image of the user's: %v", err)
	}
}

// Servers without schemas get the schema in words, and JSON mode is never asked
// for without the word.
func TestSchemaInWords(t *testing.T) {
	const schema = `"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}`
	const object = `"response_format":{"type":"json_object"}`
	f := func(kind, messages, format, want string) {
		t.Helper()
		s := endpoint(kind, "m")
		call := adaptertest.Encode(t, adapter(t, s), []byte(`{"messages":[`+messages+`],`+format+`}`))
		compare(t, messages, call, `{"model":"m","messages":[`+want+`],`+object+`}`, nil)
	}
	const words = `Answer with a JSON object that follows this JSON schema, and nothing else:\n{\"type\":\"object\"}`
	for _, kind := range []string{"deepseek", "zhipu", "zai"} {
		f(kind, user, schema, `{"role":"system","content":"`+words+`"},`+user)
		f(kind, `{"role":"system","content":"s"},`+user, schema, `{"role":"system","content":"s"},{"role":"system","content":"`+words+`"},`+user)
		f(kind, user, object, `{"role":"system","content":"Answer with a JSON object and nothing else."},`+user)
		f(kind, `{"role":"user","content":"as Json, please"}`, object, `{"role":"user","content":"as Json, please"}`)
	}
	s := endpoint("vllm", "m")
	s.Traits = &wire.Traits{Schema: "json_object"}
	call := adaptertest.Encode(t, adapter(t, s), []byte(`{"messages":[{"role":"system","content":"s"},`+user+`],`+schema+`}`))
	compare(t, schema, call, `{"model":"m","messages":[{"role":"system","content":"s\n\n`+words+`"},`+user+`],`+object+`}`, nil)
}

// Calls of tools of free text go back to servers that know such tools as they
// are, and to others as those of the functions that stand for them.
func TestEarlierCallsOfCustomTools(t *testing.T) {
	const answer = `,{"role":"tool","tool_call_id":"c","content":"ok"}`
	const custom = user + `,{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"custom","custom":{"name":"g","input":"a \"b\"\n"}},{"id":"d","type":"function","function":{"name":"custom","arguments":"{}"}}]}` + answer
	const function = user + `,{"role":"assistant","content":null,"tool_calls":[{"type":"function","id":"c","function":{"name":"g","arguments":"{\"input\":\"a \\\"b\\\"\\n\"}"}},{"id":"d","type":"function","function":{"name":"custom","arguments":"{}"}}]}` + answer
	rewrites(t, endpoint("openai_compat", "m"), custom, custom, "")
	rewrites(t, endpoint("openrouter", "m"), custom, custom, `"usage":{"include":true}`)
	rewrites(t, endpoint("vllm", "m"), custom, function, "")
	rewrites(t, endpoint("groq", "m"), custom, function, "")
}

// Images that the assistant made go back to servers that know them; for others
// a text says that they were there.
func TestImagesOfTheAssistant(t *testing.T) {
	const note = `[The assistant made an image here, which this model cannot see]`
	const images = `"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}`
	said := func(content string) string { return user + `,{"role":"assistant"` + content + images + `,` + user }
	f := func(kind, content, want string) {
		t.Helper()
		rewrites(t, endpoint(kind, "m"), said(content), user+`,{"role":"assistant",`+want+`},`+user, "")
	}
	rewrites(t, endpoint("openrouter", "m"), said(`,"content":"a",`), said(`,"content":"a",`), `"usage":{"include":true}`)
	blind := endpoint("openrouter", "m")
	blind.Inputs = 0
	rewrites(t, blind, said(`,"content":"a",`), user+`,{"role":"assistant","content":"a\n\n`+note+`"},`+user, `"usage":{"include":true}`)
	for _, kind := range []string{"openai_compat", "vllm", "groq", "openai"} {
		f(kind, `,"content":"a",`, `"content":"a\n\n`+note+`"`)
	}
	f("vllm", `,"content":null,`, `"content":"`+note+`"`)
	f("vllm", `,`, `"content":"`+note+`"`)
	f("vllm", `,"content":[{"type":"text","text":"a"}],`, `"content":[{"type":"text","text":"a"},{"type":"text","text":"`+note+`"}]`)
	blind = endpoint("vllm", "m")
	blind.Inputs = 0
	rewrites(t, blind, said(`,"content":[{"type":"text","text":"a"}],`), user+`,{"role":"assistant","content":"a\n`+note+`"},`+user, "")
	rewrites(t, endpoint("vllm", "m"), `{"role":"user","content":"x","images":null}`, user, "")
}
