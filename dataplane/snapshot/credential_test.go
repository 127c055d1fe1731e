package snapshot_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/codec"

	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/wire"
)

func build(t *testing.T, secrets map[string]string, endpoints ...wire.Endpoint) *snapshot.Snapshot {
	t.Helper()
	b := snapshot.Builder{
		Senders: upstream.NewSenders(time.Second), Breaker: upstream.DefaultBreaker(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Secret: func(name string) (string, bool) { v, ok := secrets[name]; return v, ok },
	}
	s, err := b.Build(&wire.Release{Number: 1, Snapshot: wire.Snapshot{Models: []wire.Model{{ID: "m", Type: "chat", Endpoints: endpoints}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSecretsBecomeCredentialsOrTakeTheEndpointOut(t *testing.T) {
	const vertex = "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1"
	entra := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"eyJ.a.b","expires_in":3599}`)
	}))
	t.Cleanup(entra.Close)
	f := func(kind, base string, names []string, want, missing string) {
		t.Helper()
		e := wire.Endpoint{ID: "m:e", Kind: kind, BaseURL: base, UpstreamModel: "claude-x", Weight: 1, Secrets: names}
		if kind == "bedrock" {
			e.Region = "eu-north-1"
		}
		s := build(t, map[string]string{"KEY": "k1", "BROKEN": `{"type":"service_account"}`, "TOKEN": "ya29.ready", "ACCESS": "AKIA0:s3cret", "HALF": "AKIA0:", "APP": ` {"client_id":"app","client_secret":"s","token_uri":"` + entra.URL + `"}`}, e)
		if missing != "" {
			if len(s.Missing) != 1 || s.Missing[0].Variable != missing || len(s.Models[0].Endpoints) != 0 {
				t.Errorf("%v: missing %+v", names, s.Missing)
			}
			return
		}
		var got []string
		for _, c := range s.Models[0].Endpoints[0].Auth {
			h, err := c.Header(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, h.Name+": "+h.Value)
		}
		if strings.Join(got, "; ") != want {
			t.Errorf("%v: %q, want %q", names, got, want)
		}
	}
	f("vllm", "http://127.0.0.1:1", nil, ": ", "")
	f("vllm", "http://127.0.0.1:1", []string{"KEY"}, "Authorization: Bearer k1", "")
	f("vllm", "http://127.0.0.1:1", []string{"NONE", "KEY"}, "Authorization: Bearer k1", "")
	f("vllm", "http://127.0.0.1:1", []string{"NONE"}, "", "NONE")
	f("anthropic", "https://api.anthropic.com", []string{"KEY"}, "x-api-key: k1", "")
	f("claude", "https://proxy.example.com", []string{"KEY"}, "api-key: k1", "")
	f("claude", vertex, []string{"TOKEN"}, "Authorization: Bearer ya29.ready", "")
	f("claude", vertex, []string{"BROKEN"}, "", "BROKEN")
	f("gemini", "https://generativelanguage.googleapis.com/v1beta", []string{"KEY"}, "x-goog-api-key: k1", "")
	f("gemini", vertex, []string{"TOKEN"}, "Authorization: Bearer ya29.ready", "")
	f("gemini", vertex, []string{"BROKEN"}, "", "BROKEN")
	f("bedrock", "https://bedrock-runtime.eu-north-1.amazonaws.com", []string{"KEY"}, "Authorization: Bearer k1", "")
	f("bedrock", "https://bedrock-runtime.eu-north-1.amazonaws.com", []string{"ACCESS"}, ": ", "")
	f("bedrock", "https://bedrock-runtime.eu-north-1.amazonaws.com", []string{"HALF"}, "", "HALF")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA9") // those of the machine
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s9")
	t.Setenv("AWS_SESSION_TOKEN", "t9")
	f("bedrock", "https://bedrock-runtime.eu-north-1.amazonaws.com", nil, ": AKIA9:s9:t9", "")
	f("azure", "https://r.openai.azure.com", []string{"KEY"}, "api-key: k1", "")
	f("azure", "https://r.openai.azure.com", []string{"APP"}, "Authorization: Bearer eyJ.a.b", "")
	f("azure", "https://r.openai.azure.com", []string{"BROKEN"}, "", "BROKEN")
}

// The machine's AWS keys sign calls, are not sent, and are replaced once AWS
// refuses them.
func TestCallsAreSignedWithTheMachinesKeys(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIA9")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s9secret")
	t.Setenv("AWS_SESSION_TOKEN", "t9")
	s := build(t, nil, wire.Endpoint{ID: "m:e", Kind: "bedrock", BaseURL: "https://x.test", Region: "eu-north-1", UpstreamModel: "m", Weight: 1})
	c := s.Models[0].Endpoints[0].Auth[0]
	auth, err := c.Header(t.Context())
	if err != nil || auth.Name != "" || strings.Join(snapshot.HeaderSecrets(auth), " ") != "s9secret t9" {
		t.Fatalf("%v, %v", auth, err)
	}
	call := codec.Call{URL: "https://x.test/model/m/converse", Body: []byte(`{}`)}
	if err := c.Sign(&call, auth, time.Now()); err != nil {
		t.Fatal(err)
	}
	headers := fmt.Sprint(call.Headers)
	if !strings.Contains(headers, "Credential=AKIA9/") || !strings.Contains(headers, "{X-Amz-Security-Token t9}") || strings.Contains(headers, "s9secret") {
		t.Error(headers)
	}
	if c.Refused(http.StatusForbidden, auth) {
		t.Error("keys that have just come are dropped")
	}
	if !c.Refused(http.StatusForbidden, codec.Header{Value: "AKIA8:s8"}) || c.Refused(http.StatusUnauthorized, codec.Header{Value: "AKIA8:s8"}) {
		t.Error("older keys are not replaced")
	}
}
