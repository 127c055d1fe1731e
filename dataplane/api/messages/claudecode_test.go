package messages_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/messages"
)

// TestSessionOfClaudeCode: requests of one conversation keep together.
func TestSessionOfClaudeCode(t *testing.T) {
	const user = `user_0123_account_11111111-2222-3333-4444-555555555555_session_66666666-7777-8888-9999-000000000000`
	f := func(id string, h headers, session string) {
		t.Helper()
		tr := messages.Language().New()
		if err := tr.Parse([]byte(`{"model":"m","max_tokens":9,"metadata":{"user_id":`+id+`},"messages":[{"role":"user","content":"hi"}]}`), h); err != nil {
			t.Fatal(err)
		}
		if got := string(tr.Request().Raw(chat.SessionID)); got != session {
			t.Errorf("session %s, want %s", got, session)
		}
	}
	f(`"`+user+`"`, headers{}, `"66666666-7777-8888-9999-000000000000"`)
	f(`"`+user+`"`, headers{"X-Session-Id": "mine"}, "")
	f(`"{\"device_id\":\"d\",\"session_id\":\"s-1\"}"`, headers{}, `"s-1"`)
	f(`"ann"`, headers{}, "")
}

// TestEstimatedStart: where the upstream tells its usage at the end, the
// beginning of the message has an estimate.
func TestEstimatedStart(t *testing.T) {
	tr := messages.Language().New()
	if err := tr.Parse([]byte(`{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"`+strings.Repeat("word ", 100)+`"}]}`), headers{}); err != nil {
		t.Fatal(err)
	}
	if err := tr.Encode(takesAll{}, &codec.Call{}); err != nil {
		t.Fatal(err)
	}
	tr.Decoder(takesAll{})
	s := tr.Stream()
	tr.Decoder(takesAll{}) // of the attempt that answers
	s.Begin(api.Head{ID: "gen-1", Model: "m"})
	s.Event(&chat.Event{Content: chat.Literal(`"x"`)})
	if got := string(*s.Buffer()); !strings.Contains(got, `"input_tokens":13`) {
		t.Errorf("%s", got)
	}
}
