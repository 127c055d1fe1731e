package importer

import "strings"

// provider is what a prefix of LiteLLM's model names is here.
type provider struct {
	kind string
	// baseURL is where kind's own is not the provider's.
	baseURL string
	// key is the variable that LiteLLM takes the key from by default, "" for none.
	key string
}

// providers by prefix, as LiteLLM names them.
func providers() map[string]provider {
	compatible := func(url, key string) provider { return provider{"openai_compat", url, key} }
	return map[string]provider{
		"openai": {"openai", "", "OPENAI_API_KEY"}, "azure": {"azure", "", "AZURE_API_KEY"}, "anthropic": {"anthropic", "", "ANTHROPIC_API_KEY"},
		"gemini": {"gemini", "", "GEMINI_API_KEY"}, "vertex_ai": {"vertex_ai", "", "GOOGLE_CREDENTIALS"}, "bedrock": {"bedrock", "", "AWS_BEARER_TOKEN_BEDROCK"},
		"deepseek": {"deepseek", "", "DEEPSEEK_API_KEY"}, "groq": {"groq", "", "GROQ_API_KEY"}, "mistral": {"mistral", "", "MISTRAL_API_KEY"},
		"xai": {"xai", "", "XAI_API_KEY"}, "openrouter": {"openrouter", "", "OPENROUTER_API_KEY"}, "together_ai": {"together", "", "TOGETHERAI_API_KEY"},
		"fireworks_ai": {"fireworks", "", "FIREWORKS_AI_API_KEY"}, "moonshot": {"moonshot", "", "MOONSHOT_API_KEY"}, "dashscope": {"qwen", "", "DASHSCOPE_API_KEY"},
		"featherless_ai": {"featherless", "", "FEATHERLESS_AI_API_KEY"}, "minimax": {"minimax", "", "MINIMAX_API_KEY"}, "zai": {"zai", "", "ZAI_API_KEY"},
		"ollama": {"ollama", "", ""}, "ollama_chat": {"ollama", "", ""}, "hosted_vllm": {"vllm", "", ""}, "vllm": {"vllm", "", ""},
		"perplexity": compatible("https://api.perplexity.ai", "PERPLEXITYAI_API_KEY"), "cerebras": compatible("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
		"deepinfra": compatible("https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"), "sambanova": compatible("https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
		"nvidia_nim": compatible("https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"), "hyperbolic": compatible("https://api.hyperbolic.xyz/v1", "HYPERBOLIC_API_KEY"),
		"nebius": compatible("https://api.studio.nebius.ai/v1", "NEBIUS_API_KEY"), "novita": compatible("https://api.novita.ai/v3/openai", "NOVITA_API_KEY"),
		"litellm_proxy": compatible("", "LITELLM_PROXY_API_KEY"), "openai_like": compatible("", ""), "custom_openai": compatible("", ""), "azure_ai": compatible("", "AZURE_AI_API_KEY"),
		"lm_studio": compatible("", ""), "llamafile": compatible("", ""), "xinference": compatible("", ""), "infinity": compatible("", ""),
	}
}

// split parts a model's name of LiteLLM from its provider. Without a prefix the
// name itself says whose it is, as there.
func split(name, custom string) (prefix, rest string, known provider, ok bool) {
	all := providers()
	if custom != "" {
		known, ok = all[custom]
		return custom, strings.TrimPrefix(name, custom+"/"), known, ok
	}
	if prefix, rest, found := strings.Cut(name, "/"); found {
		known, ok = all[prefix]
		return prefix, rest, known, ok
	}
	prefix = "openai"
	switch {
	case strings.HasPrefix(name, "claude"):
		prefix = "anthropic"
	case strings.HasPrefix(name, "gemini"):
		prefix = "vertex_ai"
	case strings.HasPrefix(name, "deepseek"):
		prefix = "deepseek"
	}
	return prefix, name, all[prefix], true
}
