package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

func wantsOpenrouter() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"cached-usage": {
			Content: "Distributed database systems...",
			Finish:  "stop", Native: "stop",
			Usage:   chat.Usage{Prompt: 3329, Completion: 53, CacheRead: 3211, CacheWrite: 115, Cost: "0.00219855"},
			Client:  "=",
			Differs: []string{"usage"},
		},
		"chat-plain": {
			Content: "Olá! 👋\n\nHow can I help you t...",
			Finish:  "stop", Native: "end_turn",
			Usage:  chat.Usage{Prompt: 16, Completion: 18, Cost: "0.000106"},
			Client: "=",
		},
		"chat-stream": {
			Content: "Olá!",
			Details: []string{"reasoning.encrypted"},
			Finish:  "stop", Native: "STOP",
			Usage:  chat.Usage{Prompt: 11, Completion: 2, Cost: "0.00000575"},
			Client: "=",
		},
		"chat-stream-2": {
			Content: "1\n2\n3",
			Finish:  "stop", Native: "end_turn",
			Usage:   chat.Usage{Prompt: 15, Completion: 9, Cost: "0.00006"},
			Client:  "=",
			Differs: []string{"usage"},
		},
		"error-401": {
			Fault:   &adaptertest.Fault{Kind: fault.Authentication, Message: "The upstream refused the gateway's credentials"},
			Client:  "=",
			Differs: []string{"usage"},
		},
		"error-429-upstream": {
			Fault:   &adaptertest.Fault{Kind: fault.RateLimit, Message: "google/gemini-2.0-flash-exp:free is temporarily"},
			Client:  "=",
			Differs: []string{"usage"},
		},
		"image-input": {
			Content: "# Coyote\n\nThis image shows a...",
			Finish:  "stop", Native: "end_turn",
			Usage:   chat.Usage{Prompt: 81, Completion: 173, Cost: "0.000946"},
			Client:  "=",
			Differs: []string{"usage"},
		},
		"json-schema": {
			Content: "{\"name\":\"John\",\"age\":30}",
			Finish:  "stop", Native: "end_turn",
			Usage:   chat.Usage{Prompt: 181, Completion: 12, Cost: "0.000241"},
			Client:  "=",
			Differs: []string{"usage"},
		},
		"parallel-tools-stream": {
			Content:   "Sure! Let me add and multipl...",
			Reasoning: "The user wants to add and mu...",
			Tools:     []adaptertest.Tool{{ID: "call_4024c8ddae6a485b91233297", Name: "add", Arguments: `{"a":2,"b":3}`}, {ID: "call_4a36f30b6fd64c6d8e320712", Name: "multiply", Arguments: `{"a":2,"b":3}`}},
			Details:   []string{"reasoning.text"},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 275, Completion: 76, Reasoning: 27, CacheRead: 192, Cost: "0.00044968"},
			Client: "=",
		},
		"reasoning-stream": {
			Content:   "2 + 2 = 4",
			Reasoning: "This is a simple arithmetic...",
			Details:   []string{"reasoning.text+signature"},
			Finish:    "stop", Native: "stop",
			Usage:   chat.Usage{Prompt: 43, Completion: 36, Reasoning: 13, Cost: "0.000669"},
			Client:  "=",
			Differs: []string{"usage"},
		},
		"reasoning-tool-call": {
			Reasoning: "The user is asking about the...",
			Tools:     []adaptertest.Tool{{ID: "toolu_bdrk_01AfMUr4SPqrUP7qb65GXqma", Name: "weather", Arguments: `{"location": "Florence, Italy"}`}},
			Details:   []string{"reasoning.text+signature"},
			Finish:    "tool_calls", Native: "tool_use",
			Usage:  chat.Usage{Prompt: 607, Completion: 105, Reasoning: 52, Cost: "0.001132"},
			Client: "=",
		},
		"reasoning-tool-result-turn": {
			Content: "The weather in Florence, Ita...",
			Finish:  "stop", Native: "end_turn",
			Usage:  chat.Usage{Prompt: 727, Completion: 59, Cost: "0.001022"},
			Client: "=",
		},
		"stream-error-midway": {
			Reasoning: "We need to respond to a gree...",
			Details:   []string{"reasoning.text"},
			Finish:    "length", Native: "length",
			Usage:   chat.Usage{Prompt: 43, Completion: 10, Reasoning: 11, Cost: "0"},
			Client:  "=",
			Differs: []string{"usage"},
			Fault:   &adaptertest.Fault{Kind: fault.InvalidRequest, Message: "Token limit reached"},
		},
		"tool-call": {
			Tools:  []adaptertest.Tool{{ID: "call_DCueNvTKgjMyxnoqkMFfEefn", Name: "weather", Arguments: `{"location":"Florence, Italy"}`}},
			Finish: "tool_calls", Native: "completed",
			Usage:  chat.Usage{Prompt: 63, Completion: 20, Cost: "0.0000376"},
			Client: "=",
		},
		"tool-call-stream": {
			Tools:  []adaptertest.Tool{{ID: "toolu_bdrk_01RiGtttFSGiqX2bR4Uoz434", Name: "weather", Arguments: `{"location": "Florence, Italy"}`}},
			Finish: "tool_calls", Native: "tool_use",
			Usage:  chat.Usage{Prompt: 577, Completion: 54, Cost: "0.000847"},
			Client: "=",
		},
		"tool-result-turn": {
			Content: "The current weather in **Flo...",
			Finish:  "stop", Native: "completed",
			Usage:  chat.Usage{Prompt: 95, Completion: 20, Cost: "0.000044"},
			Client: "=",
		},
	}
}
