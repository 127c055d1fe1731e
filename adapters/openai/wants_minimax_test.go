package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

func wantsMinimax() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"chat-length-unclosed-think": {
			Reasoning: "The user asks a simple quest...",
			Finish:    "length", Native: "length",
			Usage: chat.Usage{Prompt: 765, Completion: 300},
		},
		"chat-stream-think-tags": {
			Content:   "**Proof.** An integer is odd...",
			Reasoning: "The user wants a proof that...",
			Finish:    "stop", Native: "stop",
			Usage: chat.Usage{Prompt: 767, Completion: 172, Reasoning: 25, CacheRead: 443},
		},
		"error-200-base-resp": {
			Fault: &adaptertest.Fault{Kind: fault.Payment, Message: "The upstream refused the gateway's credentials", Code: "1008"},
		},
		"error-401-login-fail": {
			Fault: &adaptertest.Fault{Kind: fault.Authentication, Message: "The upstream refused the gateway's credentials"},
		},
		"tool-call-stream": {
			Reasoning: "The user wants me to execute...",
			Tools:     []adaptertest.Tool{{ID: "call_function_a6dzjuv09o80_1", Name: "Bash", Arguments: `{"command": "ls -l", "description": null, "timeout": null}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage: chat.Usage{Prompt: 14059, Completion: 75, Reasoning: 25},
		},
	}
}
