package gateway_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/shared/wire"
)

// TestContentIsKeptOnlyIfItIsWanted has a key in the prompt, which is not kept,
// and a prompt that is too long.
func TestContentIsKeptOnlyIfItIsWanted(t *testing.T) {
	const body = `{"model":"m","stream":true,"messages":[{"role":"user","content":"use sk-abcdefghijklmnopqrstuvwxyz0123456789 and\nBearer abc"}]}`
	m := model("m", endpoint("m:a", "vllm", answering(t, "an answer with \"quotes\"")))
	off := start(t, nodeOptions{}, m)
	off.chat(body)
	if u := off.event(0); u.Prompt != "" || u.Answer != "" || u.Node != "test" {
		t.Errorf("kept without being asked, or of no node: %+v", u)
	}
	on := start(t, nodeOptions{gateway: gateway.Options{Content: true}}, m)
	on.chat(strings.Replace(body, `"stream":true`, `"stream":false`, 1))
	u := on.event(0)
	if u.Answer != `an answer with "quotes"` || !strings.Contains(u.Prompt, "use [redacted] and") || strings.Contains(u.Prompt, "sk-abc") {
		t.Errorf("prompt %q, answer %q", u.Prompt, u.Answer)
	}
	on.chat(with(`"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("é", wire.MaxContent) + `"}]`))
	on.chat(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("é", wire.MaxContent) + `"}]}`)
	if u := on.event(2); len(u.Prompt) > wire.MaxContent || len(u.Prompt) < wire.MaxContent-4 || strings.Contains(u.Prompt, "\ufffd") {
		t.Errorf("a prompt of %d bytes is kept", len(u.Prompt))
	}
}
