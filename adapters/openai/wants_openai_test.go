package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

func wantsOpenai() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"audio-input": {
			Content: "Please play the audio, and I...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 28, Completion: 17, PromptAudio: 1},
			Client: "=",
		},
		"chat-plain": {
			Content: "Hi there! How can I help you...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 8, Completion: 377, Reasoning: 320},
			Client: "=",
		},
		"chat-stream": {
			Content: "Hi there! How can I help tod...",
			Finish:  "stop", Native: "stop",
			Client:  "=",
			Differs: []string{"stream_options"},
		},
		"chat-stream-usage": {
			Finish: "length", Native: "length",
			Usage:  chat.Usage{Prompt: 12, Completion: 100, Reasoning: 100},
			Client: "=",
		},
		"error-400": {
			Fault:   &adaptertest.Fault{Kind: fault.InvalidRequest, Message: "Unsupported parameter: 'max_tokens'", Code: "unsupported_parameter"},
			Client:  `{"model":"gpt-4o","messages":[{"role":"user","content":null}],"max_tokens":3,"temperature":0.5}`,
			Differs: []string{"max_tokens", "temperature", "max_completion_tokens"},
			Dropped: []string{"temperature"},
		},
		"error-404-model": {
			Fault:  &adaptertest.Fault{Kind: fault.NotFound, Message: "The upstream does not know", Code: "model_not_found"},
			Client: "=",
		},
		"image-input": {
			Content: "A tiny blue cartoon characte...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 22, Completion: 719, Reasoning: 704},
			Client: "=",
		},
		"json-mode": {
			Content: "{\"name\":\"Alex Smith\",\"age\":2...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 21, Completion: 280, Reasoning: 256},
			Client: "=",
		},
		"logprobs-stream": {
			Tools:    []adaptertest.Tool{{ID: "call_R5rLRPWSPqBxETTrGiVmQgcI", Name: "get_weather", Arguments: `{"location":"Paris"}`}},
			Logprobs: true,
			Finish:   "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 67, Completion: 14},
			Client: "=",
		},
		"reasoning": {
			Content: "Ball costs 5 cents.\n\nReason:...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 27, Completion: 267, Reasoning: 192},
			Client: "=",
		},
		"tool-call": {
			Tools:  []adaptertest.Tool{{ID: "call_8fxy20OEu9ulvvaa5b5CzVA4", Name: "get_current_weather", Arguments: `{"location":"Boston, MA","unit":"fahrenheit"}`}},
			Finish: "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 162, Completion: 287, Reasoning: 256},
			Client: "=",
		},
		"tool-call-stream": {
			Tools:  []adaptertest.Tool{{ID: "call_eKRQDHJdZUhEXo1K1cobzFrl", Name: "weather", Arguments: `{"location":"Florence, Italy"}`}},
			Finish: "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 145, Completion: 89, Reasoning: 64},
			Client: "=",
		},
		"tool-result-turn-stream": {
			Content: "The current temperature in F...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 86, Completion: 13},
			Client: "=",
		},
	}
}
