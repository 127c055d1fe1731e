package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

func wantsVllm() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"chat-plain": {
			Content:   "2 + 2 = 4.",
			Reasoning: "1.  **Analyze the Input:** T...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 20, Completion: 118, Reasoning: 108},
			Client: "=",
		},
		"chat-stream": {
			Content: "1, 2, 3, 4, 5",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 46, Completion: 14},
			Client: "=",
		},
		"error-400-context": {
			Fault:  &adaptertest.Fault{Kind: fault.ContextLength, Message: "You passed 894 input"},
			Client: "=",
		},
		"error-404-legacy-shape": {
			Fault: &adaptertest.Fault{Kind: fault.NotFound, Message: "The upstream does not know"},
		},
		"json-schema": {
			Content: "{\"first_name\": \"Michael\", \"l...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 66, Completion: 28},
			Client: "=",
		},
		"reasoning-stream-both-fields": {
			Content:   "\n\n2 + 2 equals 4.",
			Reasoning: "\nOkay, so the question is \"W...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 16, Completion: 329},
			Client: "=",
		},
		"tool-call": {
			Reasoning: "Okay, the user is asking ...",
			Tools:     []adaptertest.Tool{{ID: "chatcmpl-tool-b59dc311dd914d3dbd6d455b122bc39c", Name: "get_weather", Arguments: `{"location": "San Francisco, CA"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 185, Completion: 138},
			Client: "=",
		},
		"tool-call-stream": {
			Reasoning: "Okay, the user is asking ...",
			Tools:     []adaptertest.Tool{{ID: "chatcmpl-tool-33d90102b2fe4386808056bc3fa9ad17", Name: "get_weather", Arguments: `{"location": "San Francisco, CA"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Client:  "=",
			Differs: []string{"stream_options"},
		},
		"tool-call-stream-2": {
			Reasoning: "Okay, the user is asking ...",
			Tools:     []adaptertest.Tool{{ID: "chatcmpl-tool-41faa6bedd074d51a6335cd2447deeab", Name: "get_time", Arguments: `{"timezone": "UTC"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Client:  "=",
			Differs: []string{"stream_options"},
		},
	}
}
