package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

// refused is what clients see of an account's trouble.
const refused = "The upstream refused the gateway's credentials or account"

func ownMistral() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"own-thinking-parts": {Content: "It is so.", Reasoning: "Hm, yes.", Finish: "stop", Native: "stop", Usage: chat.Usage{Prompt: 9, Completion: 12, CacheRead: 4}},
		"own-error-422":      {Fault: &adaptertest.Fault{Kind: fault.InvalidRequest, Code: "invalid_request_error", Message: "Extra inputs are not permitted"}},
	}
}

func ownXAI() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"own-error-key":        {Fault: &adaptertest.Fault{Kind: fault.Authentication, Message: refused}},
		"own-reasoning-beside": {Content: "Yes.", Reasoning: "Hm.", Finish: "stop", Native: "stop", Usage: chat.Usage{Prompt: 8, Completion: 5, Reasoning: 3, CacheRead: 4}},
	}
}

func ownTogether() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-eos": {Content: "Yes.", Finish: "stop", Native: "eos", Usage: chat.Usage{Prompt: 5, Completion: 2}}}
}

func ownFireworks() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{"own-error-suspended": {Fault: &adaptertest.Fault{Kind: fault.Payment, Code: "precondition_failed", Message: refused}}}
}

func ownMoonshot() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"own-usage-in-choice":  {Content: "Yes.", Reasoning: "Hm.", Finish: "stop", Native: "stop", Usage: chat.Usage{Prompt: 8, Completion: 5, CacheRead: 3}},
		"own-error-quota":      {Fault: &adaptertest.Fault{Kind: fault.Payment, Code: "exceeded_current_quota_error", Message: refused}},
		"own-error-overloaded": {Fault: &adaptertest.Fault{Kind: fault.Overloaded, Code: "engine_overloaded_error", Message: "The engine is currently overloaded"}},
	}
}

func ownQwen() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"own-stream":           {Content: "Yes.", Reasoning: "Hm.", Finish: "stop", Native: "stop", Usage: chat.Usage{Prompt: 8, Completion: 6, Reasoning: 2}},
		"own-error-arrears":    {Fault: &adaptertest.Fault{Kind: fault.Payment, Code: "Arrearage", Message: refused}},
		"own-error-inspection": {Fault: &adaptertest.Fault{Kind: fault.ContentFilter, Code: "data_inspection_failed", Message: "Input data may contain inappropriate content"}},
	}
}
