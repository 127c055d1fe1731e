package route_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/route"
)

func prefix(t testing.TB, body string) uint64 {
	t.Helper()
	var r chat.Request
	if err := r.Parse([]byte(body)); err != nil {
		t.Fatal(err)
	}
	return route.Prefix(&r)
}

// What a conversation begins with decides, however long it has become and
// wherever its client has it cached.
func TestPrefixStaysWithTheConversation(t *testing.T) {
	long := strings.Repeat("You are a helpful assistant. ", 100)
	const answer = `,{"role":"assistant","content":"Hello"},{"role":"user","content":"And now?"}`
	system := `{"role":"system","content":"` + long + `"}`
	parts := func(mark string) string {
		return `{"messages":[{"role":"system","content":[{"type":"text","text":"` + long + `"` + mark + `}]},{"role":"user","content":`
	}
	const mark = `, "cache_control": {"type":"ephemeral"}`
	f := func(name, a, b string, same bool) {
		t.Helper()
		if x, y := prefix(t, a), prefix(t, b); x == 0 || (x == y) != same {
			t.Errorf("%s: %x and %x", name, x, y)
		}
	}
	start := `{"messages":[` + system + `,{"role":"user","content":"Hi"}`
	f("a longer conversation", start+`]}`, start+answer+`]}`, true)
	f("other parameters", start+`]}`, start+`],"temperature":1,"stream":true}`, true)
	f("another first message", start+`]}`, strings.Replace(start, "Hi", "Ho", 1)+`]}`, false)
	f("another system prompt", start+`]}`, strings.Replace(start, "helpful", "useful", 1)+`]}`, false)
	f("other tools", start+`]}`, start+`],"tools":[{"type":"function","function":{"name":"f"}}]}`, false)
	f("a mark that moves", parts(mark)+`[{"type":"text","text":"Hi"`+mark+`}]}]}`, parts(mark)+`"Hi"}`+answer+`]}`, true)
	f("the end of a long first message", `{"messages":[{"role":"user","content":"`+long+`"}]}`, `{"messages":[{"role":"user","content":"`+long+` And?"}]}`, true)
	f("the beginning of a long first message", `{"messages":[{"role":"user","content":"`+long+`"}]}`, `{"messages":[{"role":"user","content":"X`+long+`"}]}`, false)
	f("a very long one in parts", `{"messages":[{"role":"user","content":[{"type":"text","text":"`+strings.Repeat(long, 10)+`"}]}]}`, `{"messages":[{"role":"user","content":"`+strings.Repeat(long, 10)+`"}]}`, true)
	if h := prefix(t, `{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Ping"}]}`); h != 0 {
		t.Errorf("a short prompt has the prefix %x", h)
	}
}

// An image counts by its beginning, and without text no prompt is too long.
func TestPrefixOfAnything(t *testing.T) {
	image := `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + strings.Repeat("iVBORw0K", 20_000) + `"}}]}]}`
	if prefix(t, image) == 0 {
		t.Error("a large image has no prefix")
	}
	for _, body := range []string{`{"messages":[{"role":"user"}]}`, `{"messages":[{"role":"user","content":[]}]}`, `{"messages":[{"role":"assistant","content":"x"}]}`} {
		if h := prefix(t, body); h != 0 {
			t.Errorf("%s: prefix %x", body, h)
		}
	}
}

func BenchmarkPrefix(b *testing.B) {
	text := strings.Repeat("You are a helpful assistant who answers in full sentences. ", 100<<10/59)
	var r chat.Request
	if err := r.Parse([]byte(`{"messages":[{"role":"system","content":"` + text + `"},{"role":"user","content":"Hi"}]}`)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		route.Prefix(&r)
	}
}

func TestPrefixAllocatesNothing(t *testing.T) {
	var r chat.Request
	body := `{"messages":[{"role":"system","content":"` + strings.Repeat("x", 4000) + `"},{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral"}}]}]}`
	if err := r.Parse([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { route.Prefix(&r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
