package gateway_test

import (
	"fmt"
	"strconv"
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
	on.chat(`{"model":"m","messages":[{"role":"user","content":"begin` + strings.Repeat("é", wire.MaxContent) + `end"}]}`)
	u = on.event(2)
	if len(u.Prompt) > wire.MaxContent || len(u.Prompt) < wire.MaxContent-64 || strings.Contains(u.Prompt, "\ufffd") {
		t.Errorf("a prompt of %d bytes is kept", len(u.Prompt))
	}
	if !strings.HasPrefix(u.Prompt, `[{"role":"user","content":"begin`) || !strings.HasSuffix(u.Prompt, `end"}]`) || !strings.Contains(u.Prompt, " bytes left out ...]") {
		t.Errorf("the prompt begins %q and ends %q", u.Prompt[:40], u.Prompt[len(u.Prompt)-40:])
	}
}

// A long answer keeps its beginning and its end, and says how much is missing.
func TestLongAnswersKeepBothEnds(t *testing.T) {
	var e gateway.Excerpt
	text := "begin "
	e.Add([]byte(text))
	for i := range 40_000 {
		part := fmt.Sprintf("word-%d ", i)
		text += part
		e.Add([]byte(part))
	}
	e.Add([]byte(`sk-abcdefghijklmnopqrstuvwxyz0123456789 \"end\"`))
	got := e.Text()
	begin, rest, ok := strings.Cut(got, "\n[... ")
	number, end, ok2 := strings.Cut(rest, " bytes left out ...]\n")
	left, err := strconv.Atoi(number)
	if !ok || !ok2 || err != nil || len(got) > wire.MaxContent || len(got) < wire.MaxContent-256 {
		t.Fatalf("%d bytes are kept, %v", len(got), err)
	}
	if !strings.HasPrefix(text, begin) || !strings.HasSuffix(end, ` [redacted] "end"`) {
		t.Errorf("begins %q, ends %q", begin[:20], end[len(end)-40:])
	}
	const key = len(`sk-abcdefghijklmnopqrstuvwxyz0123456789 "end"`)
	if want := len(text) + key - len(begin) - len(end); left != want {
		t.Errorf("%d bytes are said to be left out, want %d", left, want)
	}
	short := gateway.Excerpt{}
	short.Add([]byte(`a \u00e9`))
	if got := short.Text(); got != "a é" {
		t.Errorf("%q", got)
	}
	escaped := gateway.Excerpt{}
	for range 200_000 {
		escaped.Add([]byte(`\u0041`))
	}
	if got := escaped.Text(); len(got) > wire.MaxContent || !strings.HasPrefix(got, "AAA") {
		t.Errorf("%d bytes of escapes", len(got))
	}
}
