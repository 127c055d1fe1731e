package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

func wantsSglang() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"chat-plain": {
			Content: "Hello!",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 26, Completion: 3},
			Client: "=",
		},
		"image-input": {
			Content: "The image shows a man standi...",
			Finish:  "stop", Native: "stop",
			Usage:  chat.Usage{Prompt: 307, Completion: 70},
			Client: "=",
		},
		"reasoning-stream-excerpt": {
			Reasoning: "2=4.",
			Fault:     &adaptertest.Fault{Kind: fault.Unavailable, Message: "The upstream ended the stream"},
		},
	}
}
