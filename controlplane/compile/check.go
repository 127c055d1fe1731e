package compile

import (
	"net/url"
	"strings"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/shared/wire"
)

// serveable asks the endpoint's adapter whether a node could use it.
func serveable(m *config.Model, e *wire.Endpoint) error {
	_, err := adapters.New(codec.Settings{
		Kind: e.Kind, Slug: e.Slug, BaseURL: e.BaseURL, Model: e.UpstreamModel, Processor: e.Processor, ExtraBody: e.ExtraBody,
		MaxOutput: int64(m.MaxOutputLength), Params: chat.NamedSet(m.SupportedParams),
	})
	return err
}

// checkParameters refuses names of parameters that do not exist: one that is
// misspelled would never be forwarded.
func (c *compiler) checkParameters(m *config.Model) {
	for _, name := range m.SupportedParams {
		if chat.ParamOf([]byte(name)) == chat.Other && !passedOn(name) {
			c.problems = append(c.problems, m.At.Problem("supported_params: %q is not a parameter of a chat completion", name))
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

// providerName is what clients and the log see of an endpoint's provider.
func providerName(r *config.Route) string {
	switch r.Kind {
	case "vllm":
		return "vLLM"
	case "sglang":
		return "SGLang"
	case "ollama":
		return "Ollama"
	case "deepseek":
		return "DeepSeek"
	case "zhipu", "zai":
		return "Z.AI"
	case "minimax":
		return "MiniMax"
	case "chutes":
		return "Chutes"
	case "featherless":
		return "Featherless"
	case "openrouter":
		return "OpenRouter"
	case "gemini":
		return "Google"
	case "anthropic":
		return "Anthropic"
	case "claude":
		return "Google Vertex"
	case "groq":
		return "Groq"
	case "demo":
		return "Demo"
	}
	return hostName(r)
}

// hostName names an OpenAI-compatible server by its host: the label before the
// top-level domain, or the whole of a name without dots.
func hostName(r *config.Route) string {
	u, err := url.Parse(r.BaseURL)
	if err != nil || u.Hostname() == "" {
		return r.Kind
	}
	labels := strings.Split(u.Hostname(), ".")
	if len(labels) < 2 || strings.Trim(u.Hostname(), "0123456789.") == "" {
		return "Local"
	}
	name := labels[len(labels)-2]
	return strings.ToUpper(name[:1]) + name[1:]
}
