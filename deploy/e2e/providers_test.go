package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/deploy/e2e/provider"
	"github.com/hybridinference/gateway/shared/eventually"
)

// place is an endpoint at the scripted upstream.
type place struct {
	// name is the speaker's there.
	name, kind, path string
	// silent models do not tell what they think.
	silent bool
	// more are further lines of the model.
	more string
}

// places has one endpoint of every kind, and both forms of those with two.
func places() []place {
	return []place{
		{name: "openai_compat", kind: "openai_compat", path: "/v1", silent: true},
		{name: "vllm", kind: "vllm", path: "/v1"},
		{name: "sglang", kind: "sglang", path: "/v1"},
		{name: "ollama", kind: "ollama", path: "/v1"},
		{name: "deepseek", kind: "deepseek", path: "/v1"},
		{name: "zhipu", kind: "zai", path: "/api/paas/v4"},
		{name: "minimax", kind: "minimax", path: "/v1"},
		{name: "chutes", kind: "chutes", path: "/v1"},
		{name: "featherless", kind: "featherless", path: "/v1"},
		{name: "groq", kind: "groq", path: "/v1"},
		{name: "openai", kind: "openai", path: "/v1", silent: true},
		{name: "azure", kind: "azure", silent: true},
		{name: "mistral", kind: "mistral", path: "/v1"},
		{name: "xai", kind: "xai", path: "/v1"},
		{name: "together", kind: "together", path: "/v1"},
		{name: "fireworks", kind: "fireworks", path: "/inference/v1"},
		{name: "moonshot", kind: "moonshot", path: "/v1"},
		{name: "qwen", kind: "qwen", path: "/compatible-mode/v1"},
		{name: "openrouter", kind: "openrouter", path: "/api/v1"},
		{name: "openrouter-pinned", kind: "openrouter[deepinfra]", path: "/api/v1"},
		{name: "gemini", kind: "gemini", path: "/v1beta"},
		{name: "vertex-gemini", kind: "gemini", path: "/v1/projects/weather/locations/global"},
		{name: "bedrock", kind: "bedrock", more: "\n    region: eu-north-1"},
		{name: "anthropic", kind: "anthropic"},
		{name: "claude", kind: "claude"},
		{name: "vertex", kind: "claude", path: "/v1/projects/weather/locations/europe-north1"},
	}
}

// catalog writes models.yaml with a model m-<name> for each place.
func catalog(t *testing.T, upstream string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("models:\n")
	for _, p := range places() {
		_, _ = fmt.Fprintf(&b, `  - id: m-%s
    provider: %q
    base_url: %s/%s%s
    api_key: ${KEY_%s}
    provider_model_id: %q
    supports_tools: true%s
    supported_params: [temperature, top_p, max_tokens, stop, seed, thinking, reasoning]
    context_length: 100000
    max_output_length: 8000
`, p.name, p.kind, upstream, p.name, p.path, variable(p.name), provider.Model(p.name), p.more)
	}
	_, _ = fmt.Fprintf(&b, `  - id: m-embeddings
    type: embedding
    provider: vllm
    base_url: %s/embeddings/v1
    api_key: ${KEY_EMBEDDINGS}
    provider_model_id: %q
`, upstream, provider.Model("embeddings"))
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func variable(name string) string { return strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }

// TestConversationWithEveryProvider has two published clients talk with every
// kind of provider, over the wire format of each.
func TestConversationWithEveryProvider(t *testing.T) {
	up, err := provider.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = up.Close() })
	account, err := up.ServiceAccount()
	if err != nil {
		t.Fatal(err)
	}
	port, control := freePort(t), freePort(t)
	env := []string{
		"PORT=" + port, "CONTROL_PORT=" + control, "STATE_DIR=" + t.TempDir(), "MODELS_CONFIG=" + catalog(t, up.URL()), "ROUTING_CONFIG=" + filepath.Join(root, "config", "routing.yaml"),
		"KEY_EMBEDDINGS=" + provider.Key("embeddings"),
	}
	models := [][]any{}
	for _, p := range places() {
		key := provider.Key(p.name)
		if strings.HasPrefix(p.name, "vertex") {
			key = account
		}
		env = append(env, "KEY_"+variable(p.name)+"="+key)
		models = append(models, []any{"m-" + p.name, !p.silent})
	}
	launch(t, "standalone", env)
	url := "http://127.0.0.1:" + port
	serving(t, url+"/health/ready")

	list, err := json.Marshal(models)
	if err != nil {
		t.Fatal(err)
	}
	// the first is OpenAI's SDK, the second Anthropic's
	for script, base := range map[string]string{"conversation.mjs": url + "/v1", "messages.mjs": url} {
		cmd := exec.CommandContext(t.Context(), "node", script)
		cmd.Dir, cmd.Env = "sdk", append(os.Environ(), "BASE_URL="+base, "MODELS="+string(list))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
	for _, text := range up.Complaints() {
		t.Error(text)
	}
	for _, p := range places() {
		if n := up.Seen(p.name); n < 8 { // two clients, whole and streamed, two turns
			t.Errorf("%s was asked %d times", p.name, n)
		}
	}
	if n := up.TokensIssued(); n != 1 {
		t.Errorf("%d access tokens were made for one service account", n)
	}
	// what the log keeps agrees with what was sent
	eventually.Nil(t, timeToApply, "every request is in the log", func() error { return logged(t, url) })
}

// logged compares the statistics with the conversations.
func logged(t *testing.T, url string) error {
	_, body, err := fetch(t.Context(), "GET", url+"/admin/stats", "")
	if err != nil {
		return err
	}
	names := places()
	missing := slices.DeleteFunc(names, func(p place) bool { return strings.Contains(body, `"m-`+p.name+`"`) })
	if len(missing) > 0 {
		return fmt.Errorf("no %v in %s", missing, tail(body))
	}
	return nil
}
