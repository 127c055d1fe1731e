package openai_test

import (
	"maps"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

// with adds the expectations for a server's own cases to those for its recordings.
func with(recorded map[string]adaptertest.Want, own map[string]adaptertest.Want) map[string]adaptertest.Want {
	maps.Copy(own, recorded)
	return own
}

func ownVLLM() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-parallel-calls": {
		Reasoning: "Two cities.",
		Tools: []adaptertest.Tool{
			{ID: "chatcmpl-tool-aa", Name: "sky", Arguments: `{"city":"Ulm"}`}, {ID: "chatcmpl-tool-bb", Name: "sky", Arguments: `{"city":"Bonn"}`},
		},
		Finish: "tool_calls", Native: "stop",
		Usage: chat.Usage{Prompt: 30, Completion: 20, CacheRead: 16},
		Client: `{"model":"ours","messages":[{"role":"system","content":"Be brief."},{"role":"developer","content":[{"type":"text","text":"Use tools."}]},
			{"role":"user","content":"Sky over Ulm and Bonn?"}],"tools":[{"type":"function","function":{"name":"sky","parameters":{"type":"object"}}}],
			"stream":true,"reasoning":{"effort":"xhigh"},"provider":{"sort":"price"}}`,
	}}
}

func ownSGLang() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-nulls": {
		Content: "Yes", Reasoning: "Hm", Finish: "stop", Native: "stop", Usage: chat.Usage{Prompt: 4, Completion: 3, Reasoning: 1},
	}}
}

func ownOllama() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-empty-arguments": {
		Tools:  []adaptertest.Tool{{ID: "call_x1", Name: "now", Arguments: "{}"}},
		Finish: "tool_calls", Native: "tool_calls", Usage: chat.Usage{Prompt: 9, Completion: 2},
	}}
}

func ownDeepSeek() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-out-of-resources": {
		Content: "The", Finish: "error", Native: "insufficient_system_resource", Usage: chat.Usage{Prompt: 5, Completion: 1},
		Fault: &adaptertest.Fault{Kind: fault.Overloaded, Message: "The upstream broke off the answer"},
	}}
}

func ownZhipu() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"own-overloaded-in-200": {Fault: &adaptertest.Fault{Kind: fault.Overloaded, Code: "1305", Message: "Too many people"}},
		"own-sensitive":         {Content: "I", Finish: "content_filter", Native: "sensitive", Usage: chat.Usage{Prompt: 5, Completion: 1}},
	}
}

func ownMiniMax() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"own-rate-limit-in-200": {Fault: &adaptertest.Fault{Kind: fault.RateLimit, Code: "1002", Message: "rate limit"}},
		"own-xml-call": {
			Content: "Looking.", Reasoning: "I need the sky.", Finish: "tool_calls", Native: "stop",
			Tools: []adaptertest.Tool{{Name: "sky", Arguments: `{"city":"Ulm"}`}},
			Usage: chat.Usage{Prompt: 8, Completion: 30},
		},
	}
}

func ownChutes() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-429-capacity": {Fault: &adaptertest.Fault{Kind: fault.Overloaded, Message: "Infrastructure is at maximum"}}}
}

func ownFeatherless() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"own-400-cold": {Fault: &adaptertest.Fault{Kind: fault.Overloaded, Message: "The model is cold"}},
		"own-chat": {
			Content: "Yes.", Finish: "stop", Native: "stop", Usage: chat.Usage{Prompt: 8, Completion: 2},
			Client:  `{"messages":[{"role":"user","content":"Well?"}],"max_completion_tokens":5,"parallel_tool_calls":false}`,
			Dropped: []string{"parallel_tool_calls"},
		},
	}
}

func ownGroq() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-usage-twice": {
		Content: "Yes", Finish: "stop", Native: "stop", Usage: chat.Usage{Prompt: 8, Completion: 1},
		Client: `{"messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":"Well?"},
			{"role":"assistant","content":"Hm.","reasoning":"So what?","refusal":null,"annotations":[]},{"role":"user","content":"So?"}],
			"stream":true,"reasoning":{"effort":"minimal"},"top_k":5}`,
		Dropped: []string{"top_k"},
	}}
}

func ownOpenAI() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-two-choices": {Content: "A", Finish: "length", Native: "length", Choices: 2, Usage: chat.Usage{Prompt: 8, Completion: 2}}}
}

func ownCompatOther() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-error-line": {Content: "A", Fault: &adaptertest.Fault{Kind: fault.Unavailable, Message: "the slot was lost"}}}
}

func ownOpenRouter() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-pinned": {
		Content: "A", Finish: "stop", Native: "end_turn", Usage: chat.Usage{Prompt: 8, Completion: 2, Cost: "0.00042"},
		Client: `{"messages":[{"role":"user","content":"Well?"}],"models":["other/m"],"provider":{"order":["other"]},"reasoning":{"effort":"low"},"stream":true}`,
	}}
}
