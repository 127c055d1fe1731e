package anthropic_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

func settings(model string) codec.Settings {
	return codec.Settings{
		Kind: "anthropic", BaseURL: "https://api.anthropic.com", Model: model, Tools: true, Structured: true,
		Inputs: chat.HasImage | chat.HasFile, Params: chat.SetOf(chat.TopK, chat.Reasoning, chat.Verbosity),
	}
}

func newAdapter(t testing.TB, s codec.Settings) *anthropic.Adapter {
	t.Helper()
	a, err := anthropic.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestConformance(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Provider: "anthropic",
		New:      func(s codec.Settings) (codec.Adapter, error) { return anthropic.New(s) },
		Settings: func(c adaptertest.Case) codec.Settings {
			s := settings(c.Model)
			s.MaxOutput = 64000
			return s
		},
		Wants: wants(t),
	})
}

func FuzzDecode(f *testing.F) {
	adaptertest.Fuzz(f, newAdapter(f, settings("claude-sonnet-4-5")), "anthropic")
}

// filled puts values of the recorded request into a client's request:
// {{messages.0.content}} stands for what is there as JSON, << >> for a text
// without its quotes.
func filled(t *testing.T, name, client string) string {
	root := os.Getenv("GATEWAY_FIXTURES")
	if root == "" {
		return client
	}
	raw, err := os.ReadFile(filepath.Join(root, "anthropic", name, "request.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`\{\{[^{}]+\}\}|<<[^<>]+>>`).ReplaceAllStringFunc(client, func(ref string) string {
		v := doc
		for step := range strings.SplitSeq(strings.Trim(ref, "{}<>"), ".") {
			switch at := v.(type) {
			case []any:
				n, err := strconv.Atoi(step)
				if err != nil {
					t.Fatalf("%s: %v", ref, err)
				}
				v = at[n]
			case map[string]any:
				v = at[step]
			default:
				t.Fatalf("%s: nothing at %s", ref, step)
			}
		}
		if s, ok := v.(string); ok && strings.HasPrefix(ref, "<<") {
			return s
		}
		b, _ := json.Marshal(v)
		return string(b)
	})
}

const (
	helpful = `{"role":"system","content":[{"type":"text","text":"You are a helpful assistant"}]}`
	weather = `"tools":[{"type":"function","function":{"name":"weather","description":"Get weather information for a location",
		"parameters":{"type":"object","properties":{"location":{"type":"string","description":"the city"}},"required":["location"]}}}]`
	florence = `{"role":"user","content":[{"type":"text","text":"What's the weather in Florence,Italy?"}]}`
)

func wants(t *testing.T) map[string]adaptertest.Want {
	usage := func(prompt, completion int64) chat.Usage { return chat.Usage{Prompt: prompt, Completion: completion} }
	w := map[string]adaptertest.Want{
		"cache-write": {
			Content: "OK", Finish: "stop", Native: "end_turn", Usage: chat.Usage{Prompt: 7361, Completion: 4, CacheWrite: 7351},
			Client: filled(t, "cache-write", `{"model":"x","stream":false,"messages":[{"role":"system","content":{{system}}},{"role":"user","content":[{"type":"text","text":"Reply with exactly: OK"}]}]}`),
		},
		"chat-multi-turn": {
			Content: "Yukihiro Matsumoto created Ruby in 1995.", Finish: "stop", Usage: usage(91, 18),
			Client: filled(t, "chat-multi-turn", `{"stream":false,"messages":{{messages}}}`),
		},
		"chat-plain": {
			Content: "Olá! \n\n(That's \"hello\"...", Finish: "stop", Native: "end_turn", Usage: usage(16, 34),
			Client: `{"max_tokens":4000,"messages":[` + helpful + `,{"role":"user","content":[{"type":"text","text":"Say hi in Portuguese"}]}]}`,
		},
		"chat-stream": {
			Content: "Olá! (That's \"hi\" in Portuguese)\n\nYou could also say \"Oi!\" which is a more casual way to say hi in Portuguese.",
			Finish:  "stop", Native: "end_turn", Usage: usage(16, 38),
			Client: `{"max_completion_tokens":4000,"stream":true,"messages":[` + helpful + `,{"role":"user","content":[{"type":"text","text":"Say hi in Portuguese"}]}]}`,
		},
		"image-input": {
			Content: "This image shows a simple...", Finish: "stop", Usage: usage(27, 65),
			Client: filled(t, "image-input", `{"max_tokens":4000,"messages":[`+helpful+`,{"role":"user","content":[{"type":"text","text":"Describe the image briefly in English."},
				{"type":"image_url","image_url":{"url":"data:image/png;base64,<<messages.0.content.1.source.data>>"}}]}]}`),
		},
		"json-schema": {
			Content: `{"name":"John","age":30}`, Finish: "stop", Usage: usage(181, 12),
			Client: `{"stream":false,"messages":[{"role":"user","content":[{"type":"text","text":"Generate a person named John who is 30 years old"}]}],
				"response_format":{"type":"json_schema","json_schema":{"name":"person","strict":true,"schema":{"type":"object",
				"properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"],"additionalProperties":false}}}}`,
		},
		"json-via-forced-tool-stream": {
			Tools:  []adaptertest.Tool{{ID: "toolu_01VjQqYBbz8DKsb5e7D3PPfY", Name: "Person", Arguments: `{"name":"Alice","age":30,"city":"Paris"}`}},
			Finish: "tool_calls", Native: "tool_use", Usage: usage(454, 67),
			Client: filled(t, "json-via-forced-tool-stream", `{"max_tokens":4000,"stream":true,"messages":{{messages}},"parallel_tool_calls":true,
				"tool_choice":{"type":"function","function":{"name":"Person"}},"tools":[{"type":"function","function":{"name":"Person",
				"description":"A person with name, age, and city","parameters":{{tools.0.input_schema}}}}]}`),
		},
		"max-tokens-finish": {
			Content: "Here's the beginning...", Finish: "length", Native: "max_tokens", Usage: usage(16, 50),
			Client: `{"model":"m","max_tokens":50,"temperature":0.5,"stream":false,"messages":[{"role":"user","content":"Write a very long story about dragons and adventures"}]}`,
		},
		"stop-sequence": {
			Content: "The beautiful city of ", Finish: "stop", Native: "stop_sequence", Usage: usage(32, 5),
			Client: filled(t, "stop-sequence", `{"max_tokens":1024,"stream":false,"stop":"Paris","messages":{{messages}}}`),
		},
		"thinking-redacted": {
			Content: "I notice that your message...", Details: []string{"reasoning.encrypted"}, Finish: "stop", Usage: usage(92, 196),
			Client: filled(t, "thinking-redacted", `{"max_tokens":4096,"stream":false,"messages":{{messages}},"reasoning":{"max_tokens":1024}}`),
		},
		"refusal": {
			Refusal: "This request triggered restrictions...", Finish: "content_filter", Native: "refusal", Usage: usage(18, 5),
		},
		"stream-error-overloaded": {
			Content: "Olá! (That", Usage: usage(16, 5), Fault: &adaptertest.Fault{Kind: fault.Overloaded, Code: "overloaded_error", Message: "Overloaded"},
		},
	}
	toolWants(t, w, usage)
	faultWants(t, w)
	ownWants(w)
	return w
}

// ownWants are those of the cases below testdata.
func ownWants(w map[string]adaptertest.Want) {
	w["own-interleaved-stream"] = adaptertest.Want{
		Content: "Grüße 🌍: two calls", Reasoning: `Which unit? Ask "both".`, Details: []string{"reasoning.text+signature", "reasoning.encrypted"},
		Tools:  []adaptertest.Tool{{ID: "toolu_own1", Name: "convert", Arguments: `{"to":"Ké"}`}, {ID: "toolu_own2", Name: "now", Arguments: `{}`}},
		Finish: "tool_calls", Native: "tool_use", Usage: chat.Usage{Prompt: 31, CacheWrite: 11, CacheRead: 13, Completion: 42, Reasoning: 17},
	}
	w["own-citations"] = adaptertest.Want{
		Content: "It is 330 m high", Annotations: true, Finish: "stop", Native: "pause_turn", Usage: chat.Usage{Prompt: 3, Completion: 9},
	}
	w["own-first-event-error"] = adaptertest.Want{Fault: &adaptertest.Fault{Kind: fault.Overloaded, Code: "overloaded_error", Message: "Overloaded"}}
}

func toolWants(t *testing.T, w map[string]adaptertest.Want, usage func(int64, int64) chat.Usage) {
	ask := `"max_tokens":4000,"tool_choice":"auto","parallel_tool_calls":true,` + weather
	called := func(id, text string) string {
		return `{"role":"assistant","content":[{"type":"text","text":"` + text + `"}],"tool_calls":[{"id":"` + id + `","type":"function",
			"function":{"name":"weather","arguments":"{\"location\":\"Florence,Italy\"}"}}]},{"role":"tool","tool_call_id":"` + id + `","content":[{"type":"text","text":"40 C"}]}`
	}
	w["tool-call"] = adaptertest.Want{
		Content: "I'll check the weather in Florence, Italy for you.", Finish: "tool_calls", Native: "tool_use", Usage: usage(394, 66),
		Tools:  []adaptertest.Tool{{ID: "toolu_01XLb9pzgfLa2EMyqWot6Ezt", Name: "weather", Arguments: `{"location":"Florence,Italy"}`}},
		Client: `{` + ask + `,"messages":[` + helpful + `,` + florence + `]}`,
	}
	w["tool-call-stream"] = adaptertest.Want{
		Content: "I'll get the weather information for Florence, Italy for you.", Finish: "tool_calls", Usage: usage(394, 67),
		Tools:  []adaptertest.Tool{{ID: "toolu_01N2eM4V43kGCDkq2Lw7ChWQ", Name: "weather", Arguments: `{"location":"Florence,Italy"}`}},
		Client: `{` + ask + `,"stream":true,"messages":[` + helpful + `,` + florence + `]}`,
	}
	w["tool-result-turn"] = adaptertest.Want{
		Content: "The current weather in Florence...", Finish: "stop", Usage: usage(475, 50),
		Client: `{` + ask + `,"messages":[` + helpful + `,` + florence + `,` + called("toolu_01XLb9pzgfLa2EMyqWot6Ezt", "I'll check the weather in Florence, Italy for you.") + `]}`,
	}
	w["tool-result-turn-stream"] = adaptertest.Want{
		Content: "The current weather in Florence...", Finish: "stop", Usage: usage(476, 46),
		Client: `{` + ask + `,"stream":true,"messages":[` + helpful + `,` + florence + `,` +
			called("toolu_01N2eM4V43kGCDkq2Lw7ChWQ", "I'll get the weather information for Florence, Italy for you.") + `]}`,
	}
	w["tool-choice-any"] = adaptertest.Want{
		Finish: "tool_calls", Usage: usage(713, 55),
		Tools: []adaptertest.Tool{{ID: "toolu_01VH6Z9xaR3t75nDcstVGXEF", Name: "weather", Arguments: `{"latitude":"<UNKNOWN>","longitude":"<UNKNOWN>"}`}},
		Client: filled(t, "tool-choice-any", `{"stream":false,"messages":{{messages}},"tool_choice":"required",
			"tools":[{"type":"function","function":{"name":"weather","description":"Gets current weather for a location","parameters":{{tools.0.input_schema}}}}]}`),
	}
	w["tool-no-args-stream"] = adaptertest.Want{
		Finish: "tool_calls", Usage: usage(579, 41),
		Tools: []adaptertest.Tool{{ID: "toolu_01EcJNDtgucTvxugUxuGcJmF", Name: "best_language_to_learn", Arguments: `{}`}},
		Client: filled(t, "tool-no-args-stream", `{"stream":true,"messages":[{"role":"developer","content":{{system}}},{"role":"user","content":{{messages.0.content}}}],
			"tools":[{"type":"function","function":{"name":"best_language_to_learn","description":"Gets the best language to learn","parameters":{{tools.0.input_schema}}}}]}`),
	}
	math := `"max_tokens":4000,"tool_choice":"auto","parallel_tool_calls":true,"tools":[
		{"type":"function","function":{"name":"add","description":"Add two numbers","parameters":{{tools.0.input_schema}}}},
		{"type":"function","function":{"name":"multiply","description":"Multiply two numbers","parameters":{{tools.1.input_schema}}}}],
		"messages":[{"role":"system","content":{{system}}},{"role":"user","content":{{messages.0.content}}}`
	w["parallel-tools"] = adaptertest.Want{
		Content: "I'll add and multiply the numbers 2 and 3 for you.", Finish: "tool_calls", Usage: usage(507, 137),
		Tools: []adaptertest.Tool{
			{ID: "toolu_01StBeRxDEwsqcc3arbDgpS9", Name: "add", Arguments: `{"a":2,"b":3}`},
			{ID: "toolu_01AC6WQhj2iRkdYHgTAGMpVQ", Name: "multiply", Arguments: `{"a":2,"b":3}`},
		},
		Client: filled(t, "parallel-tools", `{`+math+`]}`),
	}
	w["parallel-tool-results-turn"] = adaptertest.Want{
		Content: "The results are:\n- 2 + 3 = 5\n- 2 × 3 = 6", Finish: "stop", Usage: usage(705, 31),
		// the results come in the other order
		Client: filled(t, "parallel-tool-results-turn", `{`+math+`,{"role":"assistant","content":[{"type":"text","text":"I'll add and multiply the numbers 2 and 3 for you."}],"tool_calls":[
			{"id":"toolu_01StBeRxDEwsqcc3arbDgpS9","type":"function","function":{"name":"add","arguments":"{\"a\":2,\"b\":3}"}},
			{"id":"toolu_01AC6WQhj2iRkdYHgTAGMpVQ","type":"function","function":{"name":"multiply","arguments":"{\"a\":2,\"b\":3}"}}]},
			{"role":"tool","tool_call_id":"toolu_01AC6WQhj2iRkdYHgTAGMpVQ","content":[{"type":"text","text":"6"}]},
			{"role":"tool","tool_call_id":"toolu_01StBeRxDEwsqcc3arbDgpS9","content":[{"type":"text","text":"5"}]}]}`),
	}
	thinkingWants(t, w, usage)
}

func thinkingWants(t *testing.T, w map[string]adaptertest.Want, usage func(int64, int64) chat.Usage) {
	ask := `"max_tokens":4096,"reasoning":{"max_tokens":4000},"tool_choice":"auto","parallel_tool_calls":true,` + weather +
		`,"messages":[` + helpful + `,{"role":"user","content":[{"type":"text","text":"What's the weather in Florence, Italy?"}]}`
	thinks := []string{"reasoning.text+signature"}
	w["thinking-tool-call"] = adaptertest.Want{
		Reasoning: "The user is asking about the weather...", Details: thinks, Finish: "tool_calls", Usage: usage(424, 118),
		Tools:  []adaptertest.Tool{{ID: "toolu_014azqsWLU8Djh6RhmBGRC2u", Name: "weather", Arguments: `{"location":"Florence, Italy"}`}},
		Client: `{` + ask + `]}`,
	}
	w["thinking-tool-call-stream"] = adaptertest.Want{
		Reasoning: "The user is asking for weather information...", Details: thinks, Finish: "tool_calls", Usage: usage(424, 119),
		Tools:  []adaptertest.Tool{{ID: "toolu_01Js4AMfx5qpTLhwTusnvT68", Name: "weather", Arguments: `{"location":"Florence, Italy"}`}},
		Client: `{` + ask + `],"stream":true}`,
	}
	w["thinking-tool-result-turn"] = adaptertest.Want{
		Content: "The current temperature in Florence...", Finish: "stop", Usage: usage(557, 46),
		Client: filled(t, "thinking-tool-result-turn", `{`+ask+`,{"role":"assistant","content":null,"reasoning_details":[
			{"type":"reasoning.text","text":{{messages.1.content.0.thinking}},"format":"anthropic-claude-v1","index":0},
			{"type":"reasoning.text","signature":{{messages.1.content.0.signature}},"format":"anthropic-claude-v1","index":0}],
			"tool_calls":[{"id":"toolu_014azqsWLU8Djh6RhmBGRC2u","type":"function","function":{"name":"weather","arguments":"{\"location\":\"Florence, Italy\"}"}}]},
			{"role":"tool","tool_call_id":"toolu_014azqsWLU8Djh6RhmBGRC2u","content":[{"type":"text","text":"40 C"}]}]}`),
	}
}

func faultWants(t *testing.T, w map[string]adaptertest.Want) {
	w["error-400-prompt-too-long"] = adaptertest.Want{
		Fault:  &adaptertest.Fault{Kind: fault.ContextLength, Message: "prompt is too long: 3333404 tokens > 200000 maximum"},
		Client: filled(t, "error-400-prompt-too-long", `{"stream":false,"messages":{{messages}}}`),
	}
	w["error-400-tool-order"] = adaptertest.Want{
		Fault: &adaptertest.Fault{Kind: fault.InvalidRequest, Code: "invalid_request_error", Message: "messages.1: `tool_use` ids were found"},
		Client: `{"stream":true,"max_tokens":4096,"tools":[{"type":"function","function":{"name":"get_weather","description":"Get weather","parameters":{"type":"object","properties":{}}}}],
			"messages":[{"role":"assistant","content":"I will check the weather.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Paris\"}"}}]},
			{"role":"tool","tool_call_id":"call_1","content":"{\"temperature\":\"72F\"}"},{"role":"user","content":"Use that result to answer briefly."}]}`,
		Differs: []string{"messages"}, // the recorded order is what the API refused
	}
	w["error-401-invalid-key"] = adaptertest.Want{
		Fault:  &adaptertest.Fault{Kind: fault.Authentication, Code: "authentication_error", Message: "The upstream refused the gateway's credentials"},
		Client: `{"stream":false,"messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]}]}`,
	}
	w["error-413-too-large"] = adaptertest.Want{Fault: &adaptertest.Fault{Kind: fault.InvalidRequest, Code: "request_too_large", Message: "Request exceeds the maximum size"}}
	w["error-429-rate-limit"] = adaptertest.Want{Fault: &adaptertest.Fault{Kind: fault.RateLimit, Code: "rate_limit_error", Message: "This request would exceed the rate limit"}}
	w["error-500-api-error"] = adaptertest.Want{Fault: &adaptertest.Fault{Kind: fault.Unavailable, Code: "api_error", Message: "Internal server error"}}
}
