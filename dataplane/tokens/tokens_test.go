package tokens_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/tokens"
)

func TestCount(t *testing.T) {
	var c tokens.Counter
	f := func(members string, least, most int64) {
		t.Helper()
		var r chat.Request
		if err := r.Parse([]byte(`{"messages":[` + members + `}`)); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Count(&r); err != nil || n < least || n > most {
			t.Errorf("%.80s: %d tokens (%v), want %d to %d", members, n, err, least, most)
		}
	}
	f(`{"role":"user","content":"Hello world"}]`, 6, 8)
	f(`{"role":"user","content":"`+strings.Repeat("Hello world. ", 1000)+`"}]`, 2900, 3200)
	f(`{"role":"user","content":"`+strings.Repeat("Hello world. ", 100_000)+`"}]`, 290_000, 320_000)
	f(`{"role":"user","content":"\u4f60\u597d\uff0c\u4e16\u754c"}]`, 6, 12)
	// A picture is not its base64 text.
	f(`{"role":"user","content":[{"type":"text","text":"See"},{"type":"image_url","image_url":{"url":"data:image/png;base64,`+strings.Repeat("A", 100_000)+`"}}]}]`, 1000, 1020)
	f(`{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"read_file","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}}]`, 25, 50)
	f(`{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"read_file","arguments":"{\"path\":\"a.txt\"}"}}]},{"role":"tool","tool_call_id":"c","content":"ok"}]`, 14, 30)
}

func BenchmarkCount(b *testing.B) {
	var c tokens.Counter
	var r chat.Request
	if err := r.Parse([]byte(`{"messages":[{"role":"user","content":"` + strings.Repeat("The quick brown fox jumps. ", 4000) + `"}]}`)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(r.Messages)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Count(&r); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRough(t *testing.T) {
	picture := `{"type":"image_url","image_url":{"url":"data:image/png;base64,` + strings.Repeat("QUJD", 100_000) + `"}}`
	f := func(prompt string, from, to int64) {
		t.Helper()
		if n := tokens.Rough([]byte(prompt)); n < from || n > to {
			t.Errorf("%d tokens, want %d to %d: %.80s", n, from, to, prompt)
		}
	}
	f(`[{"role":"user","content":"`+strings.Repeat("word ", 80)+`"}]`, 98, 104)
	f(`[{"role":"user","content":[{"type":"text","text":"What is this?"},`+picture+`]}]`, 1000, 1020)
	f(`["`+strings.Repeat("word ", 80)+`"]`, 98, 104)
	f(`"`+strings.Repeat("word ", 80)+`"`, 98, 104)
	f(``, 0, 0)
}
