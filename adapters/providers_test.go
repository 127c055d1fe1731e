package adapters_test

import (
	"testing"

	"github.com/hybridinference/gateway/adapters"
)

// TestConventionalNames: OpenTelemetry's conventions for generative AI (1.41.0)
// name some providers otherwise than a route's kind does.
func TestConventionalNames(t *testing.T) {
	for kind, want := range map[string]string{
		"openai": "openai", "azure": "azure.ai.openai", "anthropic": "anthropic", "gemini": "gcp.gemini", "claude": "gcp.vertex_ai",
		"bedrock": "aws.bedrock", "mistral": "mistral_ai", "xai": "x_ai", "groq": "groq", "deepseek": "deepseek", "vllm": "vllm",
	} {
		p, ok := adapters.Find(kind)
		if !ok || p.ConventionalName() != want {
			t.Errorf("%s is %q, want %q", kind, p.ConventionalName(), want)
		}
	}
}

// TestEntra: only Azure's credentials may be an application's JSON.
func TestEntra(t *testing.T) {
	for _, c := range []struct {
		kind, credential string
		want             bool
	}{{"azure", ` {"tenant_id":"t"}`, true}, {"azure", "key", false}, {"openai", `{"tenant_id":"t"}`, false}} {
		p, _ := adapters.Find(c.kind)
		if got := p.TakesEntraTokens(c.credential); got != c.want {
			t.Errorf("%s takes %q as an application: %v, want %v", c.kind, c.credential, got, c.want)
		}
	}
}
