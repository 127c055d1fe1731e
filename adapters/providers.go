// Package adapters is the table of providers: what a route's kind means, to
// the control plane that checks it and to the node that serves it.
package adapters

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/hybridinference/gateway/adapters/anthropic"
	"github.com/hybridinference/gateway/adapters/bedrock"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/gemini"
	"github.com/hybridinference/gateway/adapters/openai"
	"github.com/hybridinference/gateway/adapters/traits"
	"github.com/hybridinference/gateway/adapters/vertex"
)

// Provider is one kind of upstream.
type Provider struct {
	Kind string
	// name is the display name, "" if only the host says whose server it is.
	name string
	// BaseURL is the public address, "" if there is none.
	BaseURL string
	// KeyRequired says that the public address refuses requests without a key.
	KeyRequired bool
	// AnyHost kinds are software, not a service: their endpoints are named after
	// the host.
	AnyHost bool
	// Pins kinds take the provider behind them in brackets: kind[slug].
	Pins bool
	// Versioned kinds have several versions of their API, of which the route
	// names one.
	Versioned bool
	// Regional kinds are in regions, of which the route names one; it takes the
	// place of REGION in the public address.
	Regional bool
	// HealthPath is where a server of this kind says how it is, "" for /health.
	HealthPath string
	// BuiltIn kinds answer in process: no address, no network, and in service
	// only while no other endpoint of the model is.
	BuiltIn bool
	// PricesAnswers kinds say in every answer what it costs.
	PricesAnswers bool
	// convention is its name in OpenTelemetry's conventions for generative AI, ""
	// if that is the kind.
	convention string
	// entra kinds take tokens of Microsoft Entra beside keys.
	entra bool
	// google reports the base URLs that take Google's access tokens, nil for none.
	google func(baseURL string) bool
	// responses reports the base URLs that have OpenAI's Responses API, nil for none.
	responses func(baseURL string) bool
	codec     func(codec.Settings) (codec.Adapter, error)
}

// Providers lists the kinds in the order in which they are shown. To add one,
// add its line and follow the README.
func Providers() []Provider {
	return []Provider{
		{Kind: "vllm", name: "vLLM", AnyHost: true, codec: compatible(openai.VLLM)},
		{Kind: "sglang", name: "SGLang", AnyHost: true, codec: compatible(openai.SGLang)},
		{Kind: "ollama", name: "Ollama", BaseURL: "http://localhost:11434", HealthPath: "/", codec: compatible(openai.Ollama)},
		{Kind: "openai_compat", AnyHost: true, responses: openai.OwnHost, codec: compatible(openai.OpenAI)},
		{Kind: "deepseek", name: "DeepSeek", BaseURL: "https://api.deepseek.com", KeyRequired: true, codec: compatible(openai.DeepSeek)},
		{Kind: "zhipu", name: "Z.AI", BaseURL: "https://open.bigmodel.cn/api/paas/v4", KeyRequired: true, codec: compatible(openai.Zhipu)},
		{Kind: "zai", name: "Z.AI", BaseURL: "https://api.z.ai/api/paas/v4", KeyRequired: true, codec: compatible(openai.Zhipu)},
		{Kind: "minimax", name: "MiniMax", BaseURL: "https://api.minimax.io/v1", KeyRequired: true, codec: compatible(openai.MiniMax)},
		{Kind: "chutes", name: "Chutes", BaseURL: "https://llm.chutes.ai/v1", KeyRequired: true, codec: compatible(openai.Chutes)},
		{Kind: "featherless", name: "Featherless", BaseURL: "https://api.featherless.ai/v1", KeyRequired: true, codec: compatible(openai.Featherless)},
		{Kind: "groq", name: "Groq", BaseURL: "https://api.groq.com/openai/v1", KeyRequired: true, codec: compatible(openai.Groq)},
		{Kind: "openai", name: "OpenAI", BaseURL: "https://api.openai.com/v1", KeyRequired: true, responses: anyURL, codec: compatible(openai.OpenAI)},
		{Kind: "azure", name: "Azure", Versioned: true, convention: "azure.ai.openai", entra: true, codec: compatible(openai.Azure)},
		{Kind: "mistral", name: "Mistral", BaseURL: "https://api.mistral.ai/v1", KeyRequired: true, convention: "mistral_ai", codec: compatible(openai.Mistral)},
		{Kind: "xai", name: "xAI", BaseURL: "https://api.x.ai/v1", KeyRequired: true, convention: "x_ai", codec: compatible(openai.XAI)},
		{Kind: "together", name: "Together", BaseURL: "https://api.together.xyz/v1", KeyRequired: true, codec: compatible(openai.Together)},
		{Kind: "fireworks", name: "Fireworks", BaseURL: "https://api.fireworks.ai/inference/v1", KeyRequired: true, codec: compatible(openai.Fireworks)},
		{Kind: "moonshot", name: "Moonshot AI", BaseURL: "https://api.moonshot.ai/v1", KeyRequired: true, codec: compatible(openai.Moonshot)},
		{Kind: "qwen", name: "Alibaba", BaseURL: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", KeyRequired: true, codec: compatible(openai.Qwen)},
		{Kind: "openrouter", name: "OpenRouter", BaseURL: "https://openrouter.ai/api/v1", KeyRequired: true, Pins: true, PricesAnswers: true, codec: compatible(openai.OpenRouter)},
		{Kind: "gemini", name: "Google", BaseURL: "https://generativelanguage.googleapis.com/v1beta", KeyRequired: true, google: vertex.OnVertex, convention: "gcp.gemini", codec: newGemini},
		{Kind: "anthropic", name: "Anthropic", BaseURL: "https://api.anthropic.com", KeyRequired: true, codec: newAnthropic},
		{Kind: "claude", name: "Google Vertex", google: vertex.OnVertex, convention: "gcp.vertex_ai", codec: newVertex},
		{Kind: "bedrock", name: "Amazon Bedrock", BaseURL: "https://bedrock-runtime.REGION.amazonaws.com", Regional: true, convention: "aws.bedrock", codec: newBedrock},
		{Kind: "demo", name: "Demo", BuiltIn: true, codec: compatible(openai.Demo)},
	}
}

// Find returns the provider of a kind.
func Find(kind string) (Provider, bool) {
	for _, p := range Providers() {
		if p.Kind == kind {
			return p, true
		}
	}
	return Provider{}, false
}

// Kinds lists what a route's kind may be.
func Kinds() []string {
	var out []string
	for _, p := range Providers() {
		out = append(out, p.Kind)
	}
	return out
}

// ConventionalName is its name in OpenTelemetry's conventions for generative AI.
func (p *Provider) ConventionalName() string { return cmp.Or(p.convention, p.Kind) }

// DisplayName is what clients and the log see of an endpoint's provider. An
// OpenAI-compatible server is named after its host: the label before the
// top-level domain, or "Local" for an address or a name without dots.
func (p *Provider) DisplayName(baseURL string) string {
	if p.name != "" {
		return p.name
	}
	u, err := url.Parse(baseURL)
	if err != nil || u.Hostname() == "" {
		return p.Kind
	}
	labels := strings.Split(u.Hostname(), ".")
	if len(labels) < 2 || strings.Trim(u.Hostname(), "0123456789.") == "" {
		return "Local"
	}
	name := labels[len(labels)-2]
	return strings.ToUpper(name[:1]) + name[1:]
}

// TakesGoogleTokens reports whether an endpoint is authorized by Google's
// access tokens, which have to be fetched and kept fresh, and not by a key.
func (p *Provider) TakesGoogleTokens(baseURL string) bool {
	return p.google != nil && p.google(baseURL)
}

// TakesEntraTokens reports whether a credential is an application of Microsoft
// Entra, as JSON, whose tokens have to be fetched, and not a key.
func (p *Provider) TakesEntraTokens(credential string) bool {
	return p.entra && strings.HasPrefix(strings.TrimSpace(credential), "{")
}

// HasResponses reports whether an endpoint is known to serve OpenAI's Responses
// API. For others the route says so.
func (p *Provider) HasResponses(baseURL string) bool {
	return p.responses != nil && p.responses(baseURL)
}

// New returns the codec for an endpoint. Whatever New accepts, a node can serve.
func New(s codec.Settings) (codec.Adapter, error) {
	p, ok := Find(s.Kind)
	if !ok {
		return nil, fmt.Errorf("kind %q is not one of %s", s.Kind, strings.Join(Kinds(), ", "))
	}
	if s.Slug != "" && !p.Pins {
		return nil, fmt.Errorf("kind %q pins no provider, but slug %q is given", s.Kind, s.Slug)
	}
	if s.APIVersion != "" && !p.Versioned {
		return nil, fmt.Errorf("api_version: kind %q has one version only", s.Kind)
	}
	if s.Region != "" && !p.Regional {
		return nil, fmt.Errorf("region: kind %q has no regions", s.Kind)
	}
	if err := traits.Check(s.Traits); err != nil {
		return nil, err
	}
	a, err := p.codec(s)
	if err != nil {
		return nil, err
	}
	if _, ok := a.(codec.Responder); s.Responses && !ok {
		return nil, fmt.Errorf("responses: kind %q does not have the Responses API; only OpenAI-compatible kinds may", s.Kind)
	}
	return a, nil
}

func anyURL(string) bool { return true }

func compatible(profile func() openai.Profile) func(codec.Settings) (codec.Adapter, error) {
	return func(s codec.Settings) (codec.Adapter, error) { return openai.New(profile(), s) }
}

func newGemini(s codec.Settings) (codec.Adapter, error)    { return gemini.New(s) }
func newAnthropic(s codec.Settings) (codec.Adapter, error) { return anthropic.New(s) }
func newBedrock(s codec.Settings) (codec.Adapter, error)   { return bedrock.New(s) }
func newVertex(s codec.Settings) (codec.Adapter, error)    { return vertex.New(s) }
