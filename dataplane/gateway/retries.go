package gateway

import (
	"bytes"
)

// retries reports whether a client retries by itself when it is told to wait,
// as the SDKs of OpenAI and Anthropic do, which count it, and agents.
func retries(h *headers) bool {
	if len(h.Peek("X-Stainless-Retry-Count")) > 0 {
		return true
	}
	agent := h.of.UserAgent()
	for _, name := range [...]string{
		"OpenAI/", "AsyncOpenAI/", "Anthropic/", "AsyncAnthropic/", "claude-cli/", "claude-code/", "codex", "opencode/", "ai-sdk/", "ai/",
		"Cline/", "RooCode/", "Kilo-Code/", "litellm/", "aider/", "Zed/", "goose/", "crush/", "qwen-code/", "QwenCode/", "GeminiCLI/",
	} {
		if len(agent) >= len(name) && bytes.EqualFold(agent[:len(name)], []byte(name)) {
			return true
		}
	}
	return false
}
