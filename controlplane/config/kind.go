package config

import (
	"regexp"
	"strings"
)

// kind is one sort of upstream.
type kind struct {
	name string
	// baseURL is the provider's public address, "" if there is none.
	baseURL string
	// keyed tells that the public address takes no request without a key.
	keyed bool
}

func kinds() []kind {
	return []kind{
		{name: "vllm"},
		{name: "sglang"},
		{name: "ollama", baseURL: "http://localhost:11434"},
		{name: "openai_compat"},
		{name: "deepseek", baseURL: "https://api.deepseek.com", keyed: true},
		{name: "zhipu", baseURL: "https://open.bigmodel.cn/api/paas/v4", keyed: true},
		{name: "zai", baseURL: "https://api.z.ai/api/paas/v4", keyed: true},
		{name: "minimax", baseURL: "https://api.minimax.io/v1", keyed: true},
		{name: "chutes", baseURL: "https://llm.chutes.ai/v1", keyed: true},
		{name: "featherless", baseURL: "https://api.featherless.ai/v1", keyed: true},
		{name: "groq", baseURL: "https://api.groq.com/openai/v1", keyed: true},
		{name: kindOpenRouter, baseURL: "https://openrouter.ai/api/v1", keyed: true},
		{name: "gemini", baseURL: "https://generativelanguage.googleapis.com/v1beta", keyed: true},
		{name: "anthropic", baseURL: "https://api.anthropic.com", keyed: true},
		{name: "claude"},
		{name: kindDemo},
	}
}

// The kinds that need more than their line in the table.
const (
	kindDemo       = "demo"
	kindOpenRouter = "openrouter"
)

var pinnedSlug = regexp.MustCompile(`^\[([A-Za-z0-9_.-]+)\]$`)

// kind reads the name of a kind, openrouter[slug] included.
func (v value) kind() (k kind, slug string, ok bool) {
	var text string
	if !v.text(&text) {
		return kind{}, "", false
	}
	name := text
	if rest, pinned := strings.CutPrefix(text, kindOpenRouter+"["); pinned {
		parts := pinnedSlug.FindStringSubmatch("[" + rest)
		if parts == nil {
			v.problemf("must be openrouter[slug] with a slug of letters, digits and _ . -, such as openrouter[deepinfra], got %s", v.got(text))
			return kind{}, "", false
		}
		name, slug = kindOpenRouter, parts[1]
	}
	var known []string
	for _, k := range kinds() {
		if k.name == name {
			return k, slug, true
		}
		known = append(known, k.name)
	}
	v.problemf("must be one of %s, openrouter[slug], got %s%s", strings.Join(known, ", "), v.got(text), suggest(text, known))
	return kind{}, "", false
}
