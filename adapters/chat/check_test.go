package chat_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

const user = `"messages":[{"role":"user","content":"x"}]`

func TestValuesAreHeldToTheirRanges(t *testing.T) {
	f := func(member, want string) {
		t.Helper()
		var r chat.Request
		err := r.Parse([]byte(`{` + member + `,` + user + `}`))
		if err == nil || fault.KindOf(err) != fault.InvalidRequest || !strings.HasPrefix(fault.From(err).Message, want) {
			t.Errorf("%.100s gives %v, want %q", member, err, want)
		}
	}
	long := strings.Repeat("ä", 600)
	f(`"models":["a","b","c","d"]`, "'models' array must have 3 items or fewer.")
	f(`"models":"a"`, "models: must be an array of strings")
	f(`"models":[1]`, "models[0]: must be a string, got 1")
	f(`"models":["a",""]`, "models[1]: must not be empty")
	f(`"route":"random"`, `route: must be fallback or sort, got "random"`)
	f(`"route":1`, "route: must be")
	f(`"verbosity":"chatty"`, "verbosity: must be low, medium, high, xhigh or max")
	f(`"service_tier":"gold"`, "service_tier: must be")
	f(`"session_id":"`+long[:2*257]+`"`, "session_id: must be at most 256 characters")
	f(`"session_id":1`, "session_id: must be a string")
	f(`"user":1`, "user: must be a string")
	f(`"modalities":["smell"]`, `modalities[0]: must be text, image or audio, got "smell"`)
	f(`"modalities":"text"`, "modalities: must be an array")
	f(`"transforms":"middle-out"`, "transforms: must be an array")
	f(`"plugins":{}`, "plugins: must be an array")
	f(`"plugins":["web"]`, "plugins[0]: must be an object")
	f(`"plugins":[{"id":"web"},{"enabled":true}]`, "plugins[1].id: required")
	f(`"plugins":[{"id":"web","enabled":1}]`, "plugins[0].enabled: must be true or false")
	f(`"metadata":[]`, "metadata: must be an object")
	f(`"metadata":{"a":1}`, "metadata.a: must be a string")
	f(`"metadata":{"a":null}`, "metadata.a: must be a string")
	f(`"metadata":{"`+long[:2*65]+`":"x"}`, "metadata: the key")
	f(`"metadata":{"a":"`+long[:2*513]+`"}`, "metadata.a: must be at most 512 characters")
	f(`"metadata":{`+pairs(17)+`}`, "metadata: must have at most 16 pairs")
	f(`"logit_bias":{"5":101}`, "logit_bias.5: must be a number from -100 to 100")
	f(`"logit_bias":{"5":"1"}`, "logit_bias.5: must be a number")
	f(`"logit_bias":[1]`, "logit_bias: must be an object")
	f(`"prediction":{"type":"text","content":"x"}`, "prediction.type: must be content")
	f(`"prediction":{"type":"content"}`, "prediction.content: must be")
	f(`"cache_control":{"type":"forever"}`, "cache_control.type: must be ephemeral")
	f(`"cache_control":{"type":"ephemeral","ttl":"2h"}`, "cache_control.ttl: must be 5m or 1h")
	f(`"stream_options":{"include_usage":"yes"}`, "stream_options.include_usage: must be true or false")
	f(`"stream_options":true`, "stream_options: must be an object")
	f(`"usage":{"include":1}`, "usage.include: must be true or false")
	f(`"debug":{"echo_upstream_body":"x"}`, "debug.echo_upstream_body: must be")
	f(`"trace":{"trace_id":7}`, "trace.trace_id: must be a string")
	f(`"image_config":1`, "image_config: must be an object")
	f(`"web_search_options":[]`, "web_search_options: must be an object")
	f(`"stop_server_tools_when":{}`, "stop_server_tools_when: must be an array")
	f(`"provider":["a"]`, "provider: must be an object")
	f(`"reasoning":{"exclude":"no"}`, "reasoning.exclude: must be true or false")
	f(`"reasoning":{"enabled":1}`, "reasoning.enabled: must be true or false")
	f(`"reasoning":{"summary":"long"}`, "reasoning.summary: must be auto, concise or detailed")
	f(`"reasoning":{"context":"none"}`, "reasoning.context: must be")
	f(`"reasoning":{"mode":"max"}`, "reasoning.mode: must be standard or pro")
	f(`"tools":[{"type":"function","function":{"name":"a.b"}}]`, "tools[0].function.name: must be at most 64 of")
	f(`"tools":[{"type":"function","function":{"name":"`+strings.Repeat("a", 65)+`"}}]`, "tools[0].function.name: must be at most 64 of")
	f(`"tools":[{"type":"function","function":{"name":1}}]`, "tools[0].function.name: required")
	f(`"tools":[{"type":"function","function":{"name":"f","parameters":"{}"}}]`, "tools[0].function.parameters: must be")
	f(`"tools":[{"type":"function","function":{"name":"f","description":3}}]`, "tools[0].function.description: must be a string")
	f(`"tools":[{"type":"function","function":{"name":"f","strict":"yes"}}]`, "tools[0].function.strict: must be true or false")
	f(`"response_format":{"type":"json_schema","json_schema":{"schema":{}}}`, "response_format.json_schema.name: required")
	f(`"response_format":{"type":"json_schema","json_schema":{"name":"`+strings.Repeat("a", 65)+`","schema":{}}}`, "response_format.json_schema.name: must be at most 64")
	f(`"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{},"strict":"yes"}}`, "response_format.json_schema.strict: must be")
	f(`"response_format":{"type":"grammar"}`, "response_format.grammar: required")
	var r chat.Request
	if err := r.Parse([]byte(`{"messages":[{"role":"assistant","tool_calls":{}}]}`)); err == nil || !strings.Contains(err.Error(), "messages[0].tool_calls: must be an array") {
		t.Errorf("tool_calls as an object: %v", err)
	}
}

func pairs(n int) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`"k%d":"v"`, i))
	}
	return strings.Join(out, ",")
}

// Everything that the contract allows, at its limits, and null for each.
func TestEveryParameterIsTaken(t *testing.T) {
	chars := func(n int) string { return strings.Repeat("ä", n) }
	members := []string{
		`"model":"a/b"`, `"models":["a","b","c"]`, `"route":"fallback"`, `"temperature":2`, `"top_p":1`, `"top_k":0`, `"min_p":1`, `"top_a":0`,
		`"repetition_penalty":2`, `"frequency_penalty":-2`, `"presence_penalty":2`, `"seed":-5`, `"max_tokens":1`, `"max_completion_tokens":1`,
		`"stop":["a","b","c","d"]`, `"logit_bias":{"1":-100,"2":100}`, `"logprobs":true`, `"top_logprobs":20`,
		`"response_format":{"type":"json_schema","json_schema":{"name":"` + chars(64) + `","description":"d","strict":null,"schema":{}}}`,
		`"structured_outputs":true`, `"tools":[{"type":"function","function":{"name":"a_B-9","description":null,"parameters":null,"strict":null},"cache_control":{"type":"ephemeral"}},{"type":"openrouter:web_search"}]`,
		`"tool_choice":{"type":"function","function":{"name":"a_B-9"}}`, `"parallel_tool_calls":true`, `"stream":false`, `"stream_options":{"include_usage":true}`,
		`"usage":{"include":true}`, `"reasoning":{"effort":"xhigh","exclude":false,"enabled":true,"summary":"auto","context":"all_turns","mode":"pro"}`,
		`"reasoning_effort":"xhigh"`, `"include_reasoning":true`, `"verbosity":"xhigh"`, `"provider":{}`, `"transforms":["middle-out"]`,
		`"plugins":[{"id":"web","enabled":null,"max_results":3}]`, `"user":"u"`, `"session_id":"` + chars(256) + `"`,
		`"metadata":{` + pairs(15) + `,"` + chars(64) + `":"` + chars(512) + `"}`, `"trace":{"trace_id":"t","other":{"a":1}}`, `"service_tier":"flex"`,
		`"prediction":{"type":"content","content":[{"type":"text","text":"x"}]}`, `"modalities":["text","image","audio"]`, `"audio":{"voice":"alloy","format":"wav"}`,
		`"image_config":{"aspect_ratio":"1:1"}`, `"web_search_options":{}`, `"preset":"p"`, `"cache_control":{"type":"ephemeral","ttl":"1h"}`,
		`"prompt_cache_key":"k"`, `"stop_server_tools_when":[]`, `"debug":{"echo_upstream_body":true}`, `"safe_prompt":true`, `"x_mine":{"a":[1]}`,
	}
	var r chat.Request
	if err := r.Parse([]byte(`{` + strings.Join(members, ",") + `,` + user + `}`)); err != nil {
		t.Error(err)
	}
	for _, m := range members {
		name, _, _ := strings.Cut(m, ":")
		if err := r.Parse([]byte(`{` + name + `:null,` + user + `}`)); err != nil {
			t.Errorf("%s null: %v", name, err)
		} else if len(r.Fields) != 1 {
			t.Errorf("%s null counts as sent", name)
		}
	}
}
