package vertex_test

import (
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/vertex"
	"github.com/hybridinference/gateway/shared/fault"
)

const google = "https://us-east5-aiplatform.googleapis.com/v1/projects/PROJECT_ID/locations/us-east5"

func settings(base, model string) codec.Settings {
	return codec.Settings{
		Kind: "claude", BaseURL: base, Model: model, Tools: true, Structured: true, MaxOutput: 64000,
		Inputs: chat.HasImage, Params: chat.SetOf(chat.TopK, chat.Reasoning),
	}
}

func newAdapter(t testing.TB, base, model string) *vertex.Adapter {
	t.Helper()
	a, err := vertex.New(settings(base, model))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestConformance(t *testing.T) {
	const (
		system  = `{"role":"system","content":[{"type":"text","text":"You are a helpful assistant"}]}`
		weather = `"max_tokens":4000,"tool_choice":"auto","parallel_tool_calls":true,"tools":[{"type":"function","function":{"name":"weather",
			"description":"Get weather information for a location","parameters":{"type":"object","properties":{"location":{"type":"string","description":"the city"}},"required":["location"]}}}]`
		florence = `{"role":"user","content":[{"type":"text","text":"What's the weather in Florence,Italy?"}]}`
		hi       = `"max_tokens":4000,"messages":[` + system + `,{"role":"user","content":[{"type":"text","text":"Say hi in Portuguese"}]}]`
		alice    = `{"max_tokens":4000,"stream":true,"parallel_tool_calls":true,"tool_choice":{"type":"function","function":{"name":"Person"}},
			"messages":[{"role":"user","content":[{"type":"text","text":"Generate information about a person named Alice who is 30 years old and lives in Paris."}]}],
			"tools":[{"type":"function","function":{"name":"Person","description":"A person with name, age, and city","parameters":{"type":"object","required":["name","age","city"],
			"properties":{"age":{"type":"integer","description":"The person's age"},"city":{"type":"string","description":"The city where the person lives"},"name":{"type":"string","description":"The person's name"}}}}}]}`
	)
	adaptertest.Run(t, adaptertest.Harness{
		Provider: "vertex-claude",
		New:      func(s codec.Settings) (codec.Adapter, error) { return vertex.New(s) },
		Settings: func(c adaptertest.Case) codec.Settings { return settings(google, c.Model) },
		Ignore:   map[string]string{"oauth-token": "the answer of a token server; package token of the data plane reads those"},
		Wants: map[string]adaptertest.Want{
			"chat-plain": {
				Content: "Olá! Como posso ajudar você hoje?", Finish: "stop", Native: "end_turn", Usage: chat.Usage{Prompt: 16, Completion: 16},
				Client: `{` + hi + `}`,
			},
			"chat-stream": {
				Content: "Olá! Como posso ajudar você hoje?", Finish: "stop", Native: "end_turn", Usage: chat.Usage{Prompt: 16, Completion: 16},
				Client: `{"stream":true,` + hi + `}`,
			},
			"forced-tool-stream": {
				Finish: "tool_calls", Native: "tool_use", Usage: chat.Usage{Prompt: 453, Completion: 67},
				Tools:  []adaptertest.Tool{{ID: "toolu_vrtx_01FVcwNij5LVEeuHy8jV34S5", Name: "Person", Arguments: `{"name":"Alice","age":30,"city":"Paris"}`}},
				Client: alice,
			},
			"tool-call": {
				Content: "I'll get the current weather information for Florence, Italy for you.", Finish: "tool_calls", Usage: chat.Usage{Prompt: 394, Completion: 68},
				Tools:  []adaptertest.Tool{{ID: "toolu_vrtx_01PKrjavVyDh3fufyVCkCJ49", Name: "weather", Arguments: `{"location":"Florence,Italy"}`}},
				Client: `{` + weather + `,"messages":[` + system + `,` + florence + `]}`,
			},
			"tool-result-turn": {
				Content: "The current weather in Florence, Italy is quite hot...", Finish: "stop", Usage: chat.Usage{Prompt: 476, Completion: 77},
				Client: `{` + weather + `,"messages":[` + system + `,` + florence + `,{"role":"assistant","content":[{"type":"text","text":"I'll get the current weather information for Florence, Italy for you."}],
					"tool_calls":[{"id":"toolu_vrtx_01PKrjavVyDh3fufyVCkCJ49","type":"function","function":{"name":"weather","arguments":"{\"location\":\"Florence,Italy\"}"}}]},
					{"role":"tool","tool_call_id":"toolu_vrtx_01PKrjavVyDh3fufyVCkCJ49","content":[{"type":"text","text":"40 C"}]}]}`,
			},
			"own-proxy-error": {Fault: &adaptertest.Fault{Kind: fault.RateLimit, Message: "quota of the proxy is used up"}},
			"own-whole-message-stream": {
				Content: "at once", Finish: "tool_calls", Native: "tool_use", Usage: chat.Usage{Prompt: 4, Completion: 2},
				Tools: []adaptertest.Tool{{ID: "toolu_own3", Name: "f", Arguments: `{"x":[1]}`}},
			},
			"error-429-stream-array": {
				Fault: &adaptertest.Fault{Kind: fault.RateLimit, Code: "RESOURCE_EXHAUSTED", Message: "Quota exceeded for"},
			},
		},
	})
}

func FuzzDecode(f *testing.F) {
	adaptertest.Fuzz(f, newAdapter(f, "http://localhost:9000", "claude-sonnet-4-5"), "vertex-claude")
}
