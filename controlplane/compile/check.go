package compile

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/controlplane/config"
)

// checkParameters refuses names of parameters that do not exist: one that is
// misspelled would never be forwarded.
func (c *compiler) checkParameters(m *config.Model) {
	for _, name := range m.SupportedParams {
		if chat.ParamOf([]byte(name)) == chat.Other && !passedOn(name) {
			c.problems = append(c.problems, m.At.Problem("supported_params: %q is not a chat completion parameter", name))
		}
	}
}

// passedOn lists parameters of servers that the gateway does not look at.
func passedOn(name string) bool {
	switch name {
	case "tool_stream", "chat_template_kwargs", "min_tokens", "ignore_eos", "dimensions", "encoding_format", "input":
		return true
	}
	return false
}
