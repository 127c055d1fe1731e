package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/deploy/e2e/provider"
	"github.com/hybridinference/gateway/shared/eventually"
)

const clientModels = `models:
  - id: stage
    aliases: [acme/stage]
    supports_tools: true
    supports_structured_output: true
    supported_params: [temperature, max_tokens, seed, response_format]
    route:
      - {kind: vllm, id: front, weight: 1, base_url: %[1]s/stage/v1, api_key: "${KEY_STAGE}", provider_model_id: some/stage}
      - {kind: sglang, id: back, weight: 0.000001, base_url: %[1]s/wings/v1, api_key: "${KEY_WINGS}", provider_model_id: some/wings}
    pricing: {prompt: "1", completion: "2"}
  - id: broken
    provider: vllm
    base_url: http://127.0.0.1:1
  - id: busy
    provider: vllm
    base_url: %[1]s/stage/v1
    api_key: ${KEY_STAGE}
    provider_model_id: some/stage
  - id: vectors
    type: embedding
    provider: vllm
    base_url: %[1]s/embeddings/v1
    api_key: ${KEY_EMBEDDINGS}
    provider_model_id: some/embeddings
`

// TestPublishedClients runs the clients that people use, each through what it
// can do, against a node that asks for keys.
func TestPublishedClients(t *testing.T) {
	up, err := provider.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = up.Close() })
	models := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(models, fmt.Appendf(nil, clientModels, up.URL()), 0o600); err != nil {
		t.Fatal(err)
	}
	port, control := freePort(t), freePort(t)
	launch(t, "standalone", []string{
		"PORT=" + port, "CONTROL_PORT=" + control, "STATE_DIR=" + t.TempDir(), "MODELS_CONFIG=" + models, "ROUTING_CONFIG=" + filepath.Join(root, "config", "routing.yaml"),
		"USER_AUTH_ENABLED=true", "API_KEY_SECRET=" + keySecret,
		"CIRCUIT_FAILURE_THRESHOLD=1000", "CIRCUIT_MIN_AVAILABILITY=0", // every client asks the broken model
		"KEY_STAGE=" + provider.Key("stage"), "KEY_WINGS=" + provider.Key("wings"), "KEY_EMBEDDINGS=" + provider.Key("embeddings"),
	})
	url := "http://127.0.0.1:" + port
	serving(t, url+"/health/ready")
	key, manager := newKey(t, control, "internal"), newKey(t, control, "management")
	for i, script := range []string{
		"client-openai.mjs", "client-openrouter.mjs", "client-ai.mjs", "client-langchain.mjs", "client-anthropic.mjs",
		"client-responses-openai.mjs", "client-responses-openrouter.mjs", "client-responses-ai.mjs", "client-responses-langchain.mjs", "client-responses-agents.mjs",
	} {
		t.Run(script, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "node", script)
			cmd.Dir, cmd.Env = "sdk", append(os.Environ(), "GATEWAY="+url, "API_KEY="+key)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			// each of them breaks off one stream, which has to end the upstream's
			eventually.Nil(t, 10*time.Second, "the stream that was broken off ends at the upstream, too", func() error {
				if n := up.Left(); n < int64(i)+1 {
					return fmt.Errorf("%d of %d have ended", n, i+1)
				}
				return nil
			})
		})
	}
	t.Run("client-openrouter-keys.mjs", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), "node", "client-openrouter-keys.mjs")
		cmd.Dir, cmd.Env = "sdk", append(os.Environ(), "GATEWAY="+url, "MANAGEMENT_KEY="+manager)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	for _, text := range up.Complaints() {
		t.Error(text)
	}
}

// newKey makes a key with a role and returns its text.
func newKey(t *testing.T, control, role string) string {
	t.Helper()
	out, err := ctl(t, "http://127.0.0.1:"+control, "keys", "create", "--name", "sdk", "--role", role, "--wait", "-o", "json")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var made struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &made); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return made.Key
}
