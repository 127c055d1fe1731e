package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

func wantsDeepseek() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"chat-multi-turn": {
			Content: "Yukihiro Matsumoto began dev...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 62, Completion: 34},
			Client: "=",
		},
		"chat-plain": {
			Content: "4",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 12, Completion: 1},
			Client: "=",
		},
		"chat-stream": {
			Content: "1, 2, 3.",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 11, Completion: 8},
			Client: "=",
		},
		"error-401": {
			Fault:  &adaptertest.Fault{Kind: fault.Authentication, Message: "The upstream refused the gateway's credentials"},
			Client: "=",
		},
		"error-402-balance": {
			Fault: &adaptertest.Fault{Kind: fault.Payment, Message: "The upstream refused the gateway's credentials"},
		},
		"json-mode": {
			Content: "{\n  \"result\": 8\n}",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 44, Completion: 9},
			Client: "=",
		},
		"parallel-tool-results-turn": {
			Content: "Here are the results:\n\n🌤️ **...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 547, Completion: 69, CacheRead: 384},
			Client: "=",
		},
		"parallel-tools": {
			Content: "Let me look up both pieces o...",
			Tools:   []adaptertest.Tool{{ID: "call_00_PY4jZerU5C9MoO3wQIwi1346", Name: "weather", Arguments: `{"latitude": "52.5200", "longitude": "13.4050"}`}, {ID: "call_01_TyBfcy9ufcThybwyvzrZ6553", Name: "best_language_to_learn", Arguments: `{}`}},
			Finish:  "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 407, Completion: 94},
			Client: "=",
		},
		"reasoning": {
			Content:   "4",
			Reasoning: "We need answer simple. 2+2=4...",
			Finish:    "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 97, Completion: 17, Reasoning: 15},
			Client: "=",
		},
		"reasoning-tool-call": {
			Content:   "Let me load the dice rolling...",
			Reasoning: "The user wants to play a dic...",
			Tools:     []adaptertest.Tool{{ID: "call_00_sXqYgMESDht75NCLLZtt9804", Name: "load_capability", Arguments: `{"id": "DICE_ROLL"}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 563, Completion: 116, Reasoning: 60, CacheRead: 512},
			Client: "=",
		},
		"reasoning-tool-result-turn": {
			Content:   "Let me get your name and rol...",
			Reasoning: "Great, now I have access to...",
			Tools:     []adaptertest.Tool{{ID: "call_00_6edlnw3Z1MgeMfey687g8451", Name: "get_player_name", Arguments: `{}`}, {ID: "call_01_km02sac7sHxNDPATKLZy7705", Name: "roll_dice", Arguments: `{}`}},
			Finish:    "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 875, Completion: 79, Reasoning: 26},
			Client: "=",
		},
		"stream-keepalive-comments": {
			Content: "1, 2, 3.",
			Finish:  "stop", Native: "stop",
			Usage: chat.Usage{Prompt: 11, Completion: 8},
		},
		"tool-call": {
			Tools:  []adaptertest.Tool{{ID: "call_00_9GCD8ZQwlaXwLJp4fDYR4887", Name: "weather", Arguments: `{"latitude": "41.9028", "longitude": "12.4964"}`}},
			Finish: "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 343, Completion: 58, CacheRead: 256},
			Client: "=",
		},
		"tool-call-stream": {
			Tools:  []adaptertest.Tool{{ID: "call_00_MRi7F2sfOet5LgvlZL3W5236", Name: "weather", Arguments: `{"latitude": "52.5200", "longitude": "13.4050"}`}},
			Finish: "tool_calls", Native: "tool_calls",
			Usage:  chat.Usage{Prompt: 348, Completion: 65},
			Client: "=",
		},
		"tool-result-turn": {
			Content: "Sorry about that - I used th...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 439, Completion: 209, CacheRead: 384},
			Client: "=",
		},
	}
}
