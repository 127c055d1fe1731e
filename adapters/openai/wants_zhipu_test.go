package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

func wantsZhipu() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"chat-plain": {
			Content:   "Olá! (Oh-lah)",
			Reasoning: "1.  **Analyze the Request:**...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 15, Completion: 249, Reasoning: 239, CacheRead: 3},
			Client: "=",
		},
		"error-429-arrears-1113": {
			Fault: &adaptertest.Fault{Kind: fault.Payment, Message: "The upstream refused the gateway's credentials", Code: "1113"},
		},
		"forced-tool": {
			Reasoning: "The user wants me to generat...",
			Tools:     []adaptertest.Tool{{ID: "call_-7807256997933348525", Name: "Person", Arguments: `{"age":30,"city":"Paris","name":"Alice"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 225, Completion: 100, Reasoning: 77, CacheRead: 43},
			Client: "=",
		},
		"thinking": {
			Content:   "2 + 2 is 4.",
			Reasoning: "\n1.  **Identify the user's q...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 13, Completion: 247, Reasoning: 237},
			Client: "=",
		},
		"thinking-stream": {
			Content:   "4",
			Reasoning: "\n1.  **Analyze the User's Re...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 13, Completion: 564, Reasoning: 561},
			Client: "=",
		},
		"tool-call": {
			Content:   "I'll check the weather in Fl...",
			Reasoning: "The user is asking for the w...",
			Tools:     []adaptertest.Tool{{ID: "call_-7807249954186984837", Name: "weather", Arguments: `{"location":"Florence,Italy"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 173, Completion: 88, Reasoning: 62, CacheRead: 43},
			Client: "=",
		},
		"tool-call-stream": {
			Content:   "I'll get the current weather...",
			Reasoning: "The user is asking for the w...",
			Tools:     []adaptertest.Tool{{ID: "call_3532c842716b4c72a7dd7498", Name: "weather", Arguments: `{"location":"Florence,Italy"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 173, Completion: 93, Reasoning: 65, CacheRead: 172},
			Client: "=",
		},
		"tool-result-turn": {
			Content:   "The weather in Florence, Ita...",
			Reasoning: "The weather function returne...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 267, Completion: 94, Reasoning: 57, CacheRead: 173},
			Client: "=",
		},
		"tool-result-turn-stream": {
			Content:   "The current temperature in F...",
			Reasoning: "The weather function returne...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 272, Completion: 156, Reasoning: 90, CacheRead: 43},
			Client: "=",
		},
	}
}
