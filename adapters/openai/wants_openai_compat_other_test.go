package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
)

func wantsOpenaiCompatOther() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"avian-kimi-reasoning-tool-stream": {
			Content:   "   ",
			Reasoning: "I need to get the weather in...",
			Tools:     []adaptertest.Tool{{ID: "functions.weather:0", Name: "weather", Arguments: `{"location": "Florence"}`}},
			Details:   []string{"reasoning.text"},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 76, Completion: 47, Reasoning: 34, CacheRead: 64, Cost: "0.0001232"},
			Client: "=",
		},
		"gpustack-chat-plain": {
			Content:   "\n\nThe sum of 2 and 2 is **4*...",
			Reasoning: "\nOkay, the user asked, \"What...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 16, Completion: 335, Reasoning: 293},
			Client: "=",
		},
		"groq-chat-stream": {
			Content: "Olá!",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 20, Completion: 4},
			Client: "=",
		},
		"llamacpp-tool-stream": {
			Reasoning: "User wants weather in Floren...",
			Tools:     []adaptertest.Tool{{ID: "g2KOIWzn722hzEaZQmNVP4roUPEiYafL", Name: "weather", Arguments: `{"location":"Florence, Italy"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 139, Completion: 41},
			Client: "=",
		},
		"xai-tool-stream": {
			Tools:  []adaptertest.Tool{{ID: "call_51851897", Name: "weather", Arguments: `{"location":"Florence, Italy"}`}},
			Finish: "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 361, Completion: 261, Reasoning: 235, CacheRead: 360},
			Client: "=",
		},
	}
}
