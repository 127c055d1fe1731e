package gemini_test

import (
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/gemini"
	"github.com/hybridinference/gateway/shared/fault"
)

func TestConformance(t *testing.T) {
	adaptertest.Run(t, adaptertest.Harness{
		Provider: "gemini",
		New:      func(s codec.Settings) (codec.Adapter, error) { return gemini.New(s) },
		Settings: func(c adaptertest.Case) codec.Settings {
			if c.Model == "" {
				c.Model = "gemini-2.5-flash"
			}
			return settings(c.Model)
		},
		Wants: wants(t),
	})
}

func FuzzConformance(f *testing.F) {
	adaptertest.Fuzz(f, adapter(f, settings("gemini-2.5-flash")), "gemini")
}

// What the recorded requests have and ours have not: a role that Google
// ignores, and a configuration without members.
const (
	systemRole = "systemInstruction.role"
	noConfig   = "generationConfig"
)

// types are the paths of the type names in the recordings' tool schemas.
func types(tools, properties []string) []string {
	var out []string
	for _, tool := range tools {
		out = append(out, tool+".parameters.type")
		for _, p := range properties {
			out = append(out, tool+".parameters.properties."+p+".type")
		}
	}
	return out
}

func differs(lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

func wants(t *testing.T) map[string]adaptertest.Want {
	t.Helper()
	const declaration = "tools[0].functionDeclarations[0]"
	system := []string{systemRole}
	weather := types([]string{declaration}, []string{"location"})
	sums := types([]string{declaration, "tools[0].functionDeclarations[1]"}, []string{"a", "b"})
	encrypted := []string{"reasoning.encrypted"}
	thoughtAndCall := []string{"reasoning.text", "reasoning.encrypted"}
	call := func(id, arguments string) []adaptertest.Tool {
		return []adaptertest.Tool{{ID: id, Name: "weather", Arguments: arguments}}
	}
	w := map[string]adaptertest.Want{
		"chat-plain": {
			Content: "Olá!", Finish: "stop", Native: "STOP", Usage: chat.Usage{Prompt: 11, Completion: 26, Reasoning: 24}, Differs: system,
		},
		"chat-stream": {
			Content: "Of course!\n\nThe most common way to say...", Finish: "stop", Native: "STOP",
			Usage: chat.Usage{Prompt: 11, Completion: 652, Reasoning: 603}, Differs: system,
		},
		"cached-content": {
			Content: "The RubyLLM release...", Finish: "stop", Usage: chat.Usage{Prompt: 9622, Completion: 171, Reasoning: 136, CacheRead: 9609},
			Differs: []string{noConfig, "cachedContent"},
		},
		"image-input": {
			Content: "This is a cute, kawaii-style...", Finish: "stop", Usage: chat.Usage{Prompt: 272, Completion: 727, Reasoning: 641, PromptImage: 258}, Differs: system,
		},
		"json-schema": {
			Content: `{"age": 30, "city": "Paris", "name": "Alice"}`, Finish: "stop", Usage: chat.Usage{Prompt: 20, Completion: 110, Reasoning: 91},
		},
		"json-schema-stream": {
			Content: "{\n  \"author\": {...", Finish: "stop", Usage: chat.Usage{Prompt: 38, Completion: 482, Reasoning: 405},
		},
		"max-tokens": {
			Content: "The capital of France is", Finish: "length", Native: "MAX_TOKENS", Usage: chat.Usage{Prompt: 15, Completion: 5},
			Differs: []string{systemRole, "generationConfig.thinkingConfig"},
		},
		"max-tokens-empty-content": {
			Finish: "length", Native: "MAX_TOKENS", Usage: chat.Usage{Prompt: 15, Completion: 2, Reasoning: 2}, Differs: system,
		},
		"stop-sequences": {
			Content: "The most iconic city in France is ", Finish: "stop", Usage: chat.Usage{Prompt: 25, Completion: 8},
		},
		"tool-call": {
			Tools: call("1wzw08fx", `{"location":"Florence, Italy"}`), Details: encrypted, Finish: "tool_calls", Native: "STOP",
			Usage: chat.Usage{Prompt: 65, Completion: 118, Reasoning: 102}, Differs: differs(system, weather),
		},
		"tool-call-2": {
			Tools: call("call_cQCzae6gL5DRz7IP65zX0A4_0", `{"location":"Florence,Italy"}`), Details: encrypted, Finish: "tool_calls",
			Usage: chat.Usage{Prompt: 54, Completion: 162, Reasoning: 147}, Differs: differs(system, weather),
		},
		"tool-call-stream": {
			Tools: call("call_WQCzaayhL8Xmz7IP-63dqQk_0", `{"location":"Florence,Italy"}`), Details: encrypted, Finish: "tool_calls",
			Usage: chat.Usage{Prompt: 54, Completion: 58, Reasoning: 43}, Differs: differs(system, weather),
		},
		"tool-choice-any": {
			Tools: []adaptertest.Tool{{Name: "bar", Arguments: `{}`}}, Finish: "tool_calls", Usage: chat.Usage{Prompt: 21, Completion: 1},
			Differs: differs([]string{noConfig, declaration + ".description", declaration + ".parameters"}, types([]string{"tools[0].functionDeclarations[1]"}, []string{"bar"})),
		},
		"tool-result-turn": {
			Content: "The current weather in Florence, Italy is 40°C.", Details: encrypted, Finish: "stop",
			Usage: chat.Usage{Prompt: 197, Completion: 84, Reasoning: 71}, Differs: differs(system, weather),
		},
		"parallel-tools": {
			Tools: []adaptertest.Tool{
				{ID: "wxvlv0tv", Name: "add", Arguments: `{"a":2,"b":3}`}, {ID: "75p2opbh", Name: "multiply", Arguments: `{"a":2,"b":3}`},
			},
			Details: encrypted, Finish: "tool_calls", Usage: chat.Usage{Prompt: 299, Completion: 527, Reasoning: 495}, Differs: differs(system, sums),
		},
		"parallel-tool-results-turn": {
			Content: "The sum of 2 and 3 is 5, and their product is 6.", Details: encrypted, Finish: "stop",
			Usage: chat.Usage{Prompt: 606, Completion: 97, Reasoning: 78}, Differs: differs(system, sums),
		},
		"thinking": {
			Reasoning: "**Weather Check in Florence**...", Tools: call("", `{"location":"Florence, Italy"}`), Details: thoughtAndCall, Finish: "tool_calls",
			Usage: chat.Usage{Prompt: 54, Completion: 79, Reasoning: 64}, Differs: differs(system, weather),
		},
		"thinking-stream": {
			Reasoning: "**Determining the Weather Inquiry**...", Tools: call("", `{"location":"Florence, Italy"}`), Details: thoughtAndCall, Finish: "tool_calls",
			Usage: chat.Usage{Prompt: 54, Completion: 76, Reasoning: 62}, Differs: differs(system, weather),
		},
		"thinking-stream-2": {
			Reasoning: "**Mapping the Inquiry**...", Tools: call("", `{"location":"Florence, Italy"}`), Details: thoughtAndCall, Finish: "tool_calls",
			Usage: chat.Usage{Prompt: 54, Completion: 78, Reasoning: 64}, Differs: differs(system, weather),
		},
		"thinking-tool-result-turn": {
			Content: "The weather in Florence, Italy is 40 C. \n", Finish: "stop", Usage: chat.Usage{Prompt: 84, Completion: 12}, Differs: differs(system, weather),
		},

		"two-candidates-stream": {Content: "One more.", Finish: "stop", Choices: 2, Usage: chat.Usage{Prompt: 4, Completion: 9}},
		"calls-one-by-one-stream": {
			Reasoning: "Two steps.", Details: thoughtAndCall, Finish: "tool_calls", Usage: chat.Usage{Prompt: 20, Completion: 18, Reasoning: 6},
			Tools: []adaptertest.Tool{
				{ID: "call_made-up-2_0", Name: "open", Arguments: `{"path":"a \"b\".txt"}`}, {ID: "call_made-up-2_1", Name: "now", Arguments: `{}`},
			},
		},
		"signature-after-text-stream": {Content: "Done", Details: encrypted, Finish: "stop", Usage: chat.Usage{Prompt: 3, Completion: 2}},
		"error-midway-stream": {
			Content: "Half a", Usage: chat.Usage{Prompt: 3, Completion: 1},
			Fault: &adaptertest.Fault{Kind: fault.Overloaded, Message: "The model is overloaded."},
		},
		"image-out": {Content: "Here it is.", Images: true, Finish: "stop", Usage: chat.Usage{Prompt: 6, Completion: 1294, CompletionImage: 1290}},

		"safety-blocked-candidate": {
			Finish: "content_filter", Native: "SAFETY", Usage: chat.Usage{Prompt: 14}, Differs: []string{systemRole, noConfig, "safetySettings"},
		},
		"malformed-function-call": {
			Finish: "error", Native: "MALFORMED_FUNCTION_CALL", Usage: chat.Usage{Prompt: 9056},
			Fault: &adaptertest.Fault{Kind: fault.Unavailable, Message: "The upstream broke off the answer (MALFORMED_FUNCTION_CALL)"},
		},
		"prompt-blocked": {
			Fault: &adaptertest.Fault{Kind: fault.ContentFilter, Message: "The upstream blocked the prompt (PROHIBITED_CONTENT)"},
		},
		"error-400-invalid-key": {
			Fault: &adaptertest.Fault{Kind: fault.Authentication, Code: "API_KEY_INVALID"}, Differs: []string{noConfig},
		},
		"error-403-permission": {Fault: &adaptertest.Fault{Kind: fault.Permission}},
		"error-404-model":      {Fault: &adaptertest.Fault{Kind: fault.NotFound}},
		"error-429-quota": {
			Fault:   &adaptertest.Fault{Kind: fault.RateLimit, RetryAfter: 48 * time.Second, Message: "You exceeded your current quota", Code: "RESOURCE_EXHAUSTED"},
			Differs: []string{noConfig},
		},
		"error-500-internal":   {Fault: &adaptertest.Fault{Kind: fault.Unavailable, Code: "INTERNAL"}},
		"error-503-overloaded": {Fault: &adaptertest.Fault{Kind: fault.Overloaded, Message: "The model is overloaded."}},
	}
	for name, want := range w {
		want.Client = clientOf(t, name)
		if want.Client == "" {
			want.Differs = nil
		}
		w[name] = want
	}
	return w
}
