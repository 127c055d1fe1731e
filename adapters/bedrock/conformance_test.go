package bedrock_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/bedrock"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

const claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

func settings(model string) codec.Settings {
	return codec.Settings{
		Kind: "bedrock", Region: "eu-north-1", BaseURL: "https://bedrock-runtime.eu-north-1.amazonaws.com", Model: model, Tools: true, Structured: true, MaxOutput: 16000,
		Inputs: chat.HasImage | chat.HasFile, Params: ^chat.ParamSet(0),
	}
}

func newAdapter(t testing.TB, model string) *bedrock.Adapter {
	t.Helper()
	a, err := bedrock.New(settings(model))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestConformance(t *testing.T) {
	usage := chat.Usage{Prompt: 20, Completion: 7, CacheRead: 5, CacheWrite: 6, CacheWrite1h: 6}
	adaptertest.Run(t, adaptertest.Harness{
		Provider: "bedrock",
		New:      func(s codec.Settings) (codec.Adapter, error) { return bedrock.New(s) },
		Settings: func(c adaptertest.Case) codec.Settings { return settings(c.Model) },
		Wants: map[string]adaptertest.Want{
			"own-stream": {Content: "Yes, so.", Finish: "stop", Native: "end_turn", Usage: usage},
			"own-thinking-tools-stream": {
				Content: "Looking.", Reasoning: "Two cities.", Details: []string{"reasoning.text+signature", "reasoning.encrypted"}, Finish: "tool_calls", Native: "tool_use", Usage: usage,
				Tools: []adaptertest.Tool{{ID: "tooluse_a", Name: "sky", Arguments: `{"city":"Ulm"}`}, {ID: "tooluse_b", Name: "now", Arguments: `{}`}},
			},
			"own-exception":      {Content: "Yes", Fault: &adaptertest.Fault{Kind: fault.RateLimit, Code: "throttlingException", Message: "Too many tokens"}},
			"own-protocol-error": {Fault: &adaptertest.Fault{Kind: fault.Unavailable, Code: "InternalServerException", Message: `An "internal" error`}},
			"own-malformed":      {Fault: &adaptertest.Fault{Kind: fault.Unavailable, Message: "The upstream broke off the answer (malformed_tool_use)"}},
			"own-guardrail":      {Content: "No.", Finish: "content_filter", Native: "guardrail_intervened", Usage: usage},
			"own-turns": {
				Content: "Grey.", Reasoning: "Hm.", Details: []string{"reasoning.text+signature"}, Finish: "stop", Native: "end_turn", Usage: chat.Usage{Prompt: 12, Completion: 7, CacheRead: 3},
				Client: `{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Sky over Ulm?"},
					{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},{"type":"file","file":{"filename":"a/b","file_data":"data:application/pdf;base64,JVBERg=="},"cache_control":{"type":"ephemeral","ttl":"1h"}}]},
					{"role":"assistant","content":"Looking.","reasoning_details":[{"type":"reasoning.text","text":"Hm.","signature":"c2ln","format":"anthropic-claude-v1","index":0}],
					"tool_calls":[{"id":"tooluse_a","type":"function","function":{"name":"sky","arguments":"{\"city\":\"Ulm\"}"}}]},
					{"role":"tool","tool_call_id":"tooluse_a","content":"grey"},{"role":"user","content":"And now?"}],
					"tools":[{"type":"function","function":{"name":"sky","description":"The sky","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}],"tool_choice":"auto",
					"max_tokens":4000,"stop":"END","temperature":0.3,"reasoning":{"max_tokens":2000},"service_tier":"auto","seed":3}`,
				Dropped: []string{"temperature", "seed", "service_tier"},
			},
			"own-call":               {Finish: "tool_calls", Native: "tool_use", Usage: chat.Usage{Prompt: 9, Completion: 7}, Tools: []adaptertest.Tool{{ID: "tooluse_a", Name: "sky", Arguments: `{"city":"Ulm"}`}}},
			"own-error-throttled":    {Fault: &adaptertest.Fault{Kind: fault.RateLimit, Message: "Too many requests"}},
			"own-error-too-long":     {Fault: &adaptertest.Fault{Kind: fault.ContextLength, Message: "Input is too long"}},
			"own-error-model-failed": {Fault: &adaptertest.Fault{Kind: fault.Overloaded}},
			"own-error-no-access":    {Fault: &adaptertest.Fault{Kind: fault.Permission}},
		},
	})
}

// TestRequest has what goes out for a client's members, and what is dropped.
func TestRequest(t *testing.T) {
	f := func(model, client, want, dropped string) {
		t.Helper()
		call := adaptertest.Encode(t, newAdapter(t, model), []byte(`{"messages":[{"role":"user","content":"x"}],`+client+`}`))
		got, ok := strings.CutPrefix(string(call.Body), `{"messages":[{"role":"user","content":[{"text":"x"}]}]`)
		if !ok || got != want+"}" {
			t.Errorf("%s: %s, want %s", client, call.Body, want)
		}
		if names := strings.Join(call.Dropped.Names(), ","); names != dropped {
			t.Errorf("%s: dropped %q, want %q", client, names, dropped)
		}
	}
	const nova = "amazon.nova-pro-v1:0"
	f(nova, `"max_tokens":5,"temperature":0.2,"top_p":0.9,"stop":["a"],"top_k":3`, `,"inferenceConfig":{"maxTokens":5,"temperature":0.2,"topP":0.9,"stopSequences":["a"]}`, "top_k")
	f(claude, `"max_tokens":5,"top_k":3,"user":"u"`, `,"inferenceConfig":{"maxTokens":5},"additionalModelRequestFields":{"top_k":3}`, "user")
	f(nova, `"max_tokens":5,"service_tier":"flex"`, `,"inferenceConfig":{"maxTokens":5},"serviceTier":{"type":"flex"}`, "")
	f(nova, `"max_tokens":5,"reasoning_effort":"low"`, `,"inferenceConfig":{"maxTokens":5}`, "reasoning_effort")
	f(claude, `"max_tokens":5,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}}}`,
		`,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"response","schema":"{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"],\"additionalProperties\":false}"}}}},"inferenceConfig":{"maxTokens":5}`, "")
	f(nova, `"max_tokens":5,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required","parallel_tool_calls":false`,
		`,"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}],"toolChoice":{"any":{}}},"inferenceConfig":{"maxTokens":5}`, "parallel_tool_calls")
	f(nova, `"max_tokens":5,"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none"`, `,"inferenceConfig":{"maxTokens":5}`, "")
	const search, choice = `{"type":"web_search_20260209","name":"web_search"}`, `"tool_choice":{"type":"function","function":{"name":"web_search"}}`
	f(claude, `"max_tokens":5,"tools":[{"type":"function","function":{"name":"f"}},`+search+`],`+choice,
		`,"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]},"inferenceConfig":{"maxTokens":5}`, "tools,tool_choice")
	f(claude, `"max_tokens":5,"tools":[`+search+`],`+choice, `,"inferenceConfig":{"maxTokens":5}`, "tools,tool_choice")
	// models that hold to no schema answer with a tool
	f(nova, `"max_tokens":5,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}`,
		`,"toolConfig":{"tools":[{"toolSpec":{"name":"gateway_json_answer","description":"Gives the answer to the user. Call it once, with the whole answer","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"tool":{"name":"gateway_json_answer"}}},"inferenceConfig":{"maxTokens":5}`, "")
}

// TestForeignBlocks sends what the history has of Anthropic's own API as text.
func TestForeignBlocks(t *testing.T) {
	for block, want := range map[string]string{
		`{"type":"server_tool_use","id":"s","name":"web_search","input":{}}`: `[{"text":"[The assistant used a tool of its provider here]"}]`,
		`{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","tool_use_id":"s","content":[{"type":"web_search_result","title":"T","url":"https://e.org"}]},{"type":"text","text":"Based"}`: `[{"text":"T: https://e.org"},{"text":"Based"}]`,
		`{"type":"compaction","content":"S"}`: `[{"text":"S"}]`,
	} {
		call := adaptertest.Encode(t, newAdapter(t, claude), []byte(`{"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[`+block+`]},{"role":"user","content":"y"}],"max_tokens":5}`))
		if want = `{"role":"assistant","content":` + want + `}`; !strings.Contains(string(call.Body), want) {
			t.Errorf("%s: %s, want %s", block, call.Body, want)
		}
	}
}

func TestSettings(t *testing.T) {
	a := newAdapter(t, "arn:aws:bedrock:eu-north-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0")
	call := adaptertest.Encode(t, a, []byte(`{"messages":[{"role":"user","content":"x"}],"stream":true}`))
	if want := "https://bedrock-runtime.eu-north-1.amazonaws.com/model/arn:aws:bedrock:eu-north-1:123456789012:inference-profile%2Feu.amazon.nova-lite-v1:0/converse-stream"; call.URL != want {
		t.Errorf("%s, want %s", call.URL, want)
	}
	if h := a.Authorize("AKIA0:s3cret"); h != (codec.Header{}) {
		t.Errorf("an access key travels: %v", h)
	}
	if h := a.Authorize(" ABSKabc "); h.Value != "Bearer ABSKabc" {
		t.Error(h)
	}
	for base, want := range map[string]string{
		"https://bedrock-runtime.us-east-1.amazonaws.com": "us-east-1", "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com": "us-gov-west-1",
		"https://vpce-1.bedrock-runtime.eu-west-1.vpce.amazonaws.com": "eu-west-1", "https://proxy.example.com/bedrock": "",
	} {
		s := settings(claude)
		s.BaseURL, s.Region = base, ""
		b, err := bedrock.New(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, region, _ := b.Signs("AKIA0:s3cret"); region != want {
			t.Errorf("%s: region %q, want %q", base, region, want)
		}
	}
	s := settings(claude)
	s.ExtraBody = []byte(`{"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"},"inferenceConfig":{"maxTokens":9}}`)
	b, err := bedrock.New(s)
	if err != nil {
		t.Fatal(err)
	}
	call = adaptertest.Encode(t, b, []byte(`{"messages":[{"role":"user","content":"x"}],"max_tokens":5}`))
	if got := string(call.Body); !strings.HasSuffix(got, `,"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"},"inferenceConfig":{"maxTokens":9}}`) || strings.Count(got, "inferenceConfig") != 1 {
		t.Error(got)
	}
	for region, want := range map[string]string{"Stockholm": "region: must be a region of AWS", "us-east": "region: must be"} {
		s := settings(claude)
		s.Region = region
		if _, err := bedrock.New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", region, err)
		}
	}
}

func FuzzDecode(f *testing.F) { adaptertest.Fuzz(f, newAdapter(f, claude), "bedrock") }

func FuzzRequest(f *testing.F) {
	adaptertest.FuzzRequest(f, newAdapter(f, claude), newAdapter(f, "amazon.nova-pro-v1:0"))
}
