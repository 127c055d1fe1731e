package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

func wantsOllama() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"chat-plain": {
			Content:   "The answer to **2 + 2** is *...",
			Reasoning: "Okay, let's see. The user as...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 18, Completion: 295},
			Client: "=",
		},
		"chat-stream": {
			Content:   "1  \n2  \n3",
			Reasoning: "The task: \"Count from 1 to 3...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 74, Completion: 53},
			Client: "=",
		},
		"error-401": {
			Fault:  &adaptertest.Fault{Kind: fault.Authentication, Message: "The upstream refused the gateway's credentials"},
			Client: "=",
		},
		"error-404-model": {
			Fault: &adaptertest.Fault{Kind: fault.NotFound, Message: "The upstream does not know"},
		},
		"image-input": {
			Content: "\nI'm sorry for any confusion...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 785, Completion: 95},
			Client: "=",
		},
		"json-schema": {
			Content:   "{ \"city\": \"Paris\", \"country\"...",
			Reasoning: "Okay, the user is asking for...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 136, Completion: 15},
			Client: "=",
		},
		"tool-call": {
			Reasoning: "User asks weather for Berlin...",
			Tools:     []adaptertest.Tool{{ID: "call_nyoq0hqx", Name: "weather", Arguments: `{"latitude":"52.5200","longitude":"13.4050"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 169, Completion: 50},
			Client: "=",
		},
		"tool-call-stream": {
			Reasoning: "We need to call weather func...",
			Tools:     []adaptertest.Tool{{ID: "call_x7rn5sl5", Name: "weather", Arguments: `{"latitude":"52.5200","longitude":"13.4050"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 169, Completion: 55},
			Client: "=",
		},
		"tool-result-turn": {
			Content: "The current weather in Berli...",
			Finish:  "stop", Native: "stop",
			Usage:   chat.Usage{Prompt: 247, Completion: 44},
			Client:  "=",
			Differs: []string{"messages[1].reasoning_content"},
		},
	}
}
