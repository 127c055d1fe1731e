package openai_test

import (
	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/shared/fault"
)

func wantsChutes() map[string]adaptertest.Want {
	return map[string]adaptertest.Want{
		"error-503-no-instances": {
			Fault: &adaptertest.Fault{Kind: fault.Overloaded, Message: "No instances available"},
		},
	}
}
