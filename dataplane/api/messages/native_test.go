package messages_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/sse"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/messages"
	"github.com/hybridinference/gateway/dataplane/problem"
)

// headers are a client's.
type headers map[string]string

func (h headers) Peek(name string) []byte { return []byte(h[name]) }

// native returns a translator that has encoded a request for Anthropic itself,
// what goes there, and the decoder of the answer.
func native(t *testing.T, body string, h headers) (api.Translator, *codec.Call, codec.Decoder) {
	t.Helper()
	a := newAdapter(t, "claude-sonnet-4-5")
	tr := messages.Language().New()
	if err := tr.Parse([]byte(body), h); err != nil {
		t.Fatal(err)
	}
	call := &codec.Call{}
	if err := tr.Encode(a, call); err != nil {
		t.Fatal(err)
	}
	return tr, call, tr.Decoder(a)
}

// pass decodes a stream and writes it for the client.
func pass(t *testing.T, tr api.Translator, d codec.Decoder, upstream string) string {
	t.Helper()
	s := tr.Stream()
	begun := false
	add := func(list []chat.Event) {
		for i := range list {
			if ev := &list[i]; !begun && (ev.HasContent() || ev.Finish != chat.NotFinished || ev.Done) {
				begun = true
				s.Begin(api.Head{ID: "gen-1", Model: "sonnet"})
			}
			s.Event(&list[i])
			if list[i].Done {
				s.End(&api.Total{})
			}
		}
	}
	var r sse.Reader
	copy(r.Space(), upstream)
	r.Advance(len(upstream))
	for {
		ev, ok, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		list, err := d.Event(ev.Name, ev.Data, nil)
		if err != nil {
			t.Fatal(err)
		}
		add(list)
	}
	list, err := d.EOF(nil)
	if err != nil {
		s.Fail(problem.New(502, "provider_unavailable", err.Error()))
	}
	add(list)
	return string(*s.Buffer())
}

const (
	nativeStart = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_up\",\"type\":\"message\",\"model\":\"claude-sonnet-4-5\",\"content\":[],\"usage\":{\"input_tokens\":10,\"new_member\":{\"a\":1},\"output_tokens\":1}}}\n\n"
	nativeRest  = "event: ping\ndata: {\"type\":\"ping\"}\n\n" +
		"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"server_tool_use\",\"id\":\"srv_1\",\"name\":\"web_search\",\"input\":{}}}\n\n" +
		"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
		"event: a_new_event\ndata: {\"type\":\"a_new_event\",\"x\":[ ]}\n\n" +
		"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"pause_turn\",\"stop_sequence\":\"END\",\"stop_details\":{\"a\":1},\"container\":{\"id\":\"c\"}},\"usage\":{\"output_tokens\":5,\"server_tool_use\":{\"web_search_requests\":1}}}\n\n"
	nativeStop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
)

// TestNativeStream: what Anthropic sends arrives as it is, but for the id and
// the model.
func TestNativeStream(t *testing.T) {
	const body = `{"model":"sonnet","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}]}`
	own := strings.NewReplacer(`"id":"msg_up"`, `"id":"gen-1"`, `"model":"claude-sonnet-4-5"`, `"model":"sonnet"`)
	// Pings before the answer begins are the gateway's own affair.
	want := own.Replace(nativeStart) + strings.TrimPrefix(nativeRest, "event: ping\ndata: {\"type\":\"ping\"}\n\n") + nativeStop
	for name, upstream := range map[string]string{"complete": nativeStart + nativeRest + nativeStop, "without message_stop": nativeStart + nativeRest} {
		tr, _, d := native(t, body, headers{})
		if got := pass(t, tr, d, upstream); got != want {
			t.Errorf("%s\n got %s\nwant %s", name, got, want)
		}
	}
	tr, _, d := native(t, body, headers{})
	cut, _, _ := strings.Cut(nativeRest, "event: message_delta")
	if got := pass(t, tr, d, nativeStart+cut); !strings.HasPrefix(got, own.Replace(nativeStart)) || !strings.Contains(got, "event: error\ndata: {\"type\":\"error\"") ||
		strings.Contains(got, "message_stop") {
		t.Errorf("cut short: %s", got)
	}
}

func TestNativeAnswer(t *testing.T) {
	tr, _, d := native(t, `{"model":"sonnet","max_tokens":9,"messages":[{"role":"user","content":"x"}]}`, headers{})
	const rest = `"type":"message","role":"assistant","content":[{"type":"compaction","content":"c"},{"type":"text","text":"x"}],"stop_reason":"stop_sequence","stop_sequence":"END","container":{"id":"c"},"usage":{"input_tokens":3,"output_tokens":2,"service_tier":"standard"}}`
	list, err := d.Body([]byte(`{"id":"msg_up","model":"claude-sonnet-4-5",`+rest), nil)
	if err != nil {
		t.Fatal(err)
	}
	var usage *chat.Usage
	for i := range list {
		tr.Gather(&list[i])
		if list[i].Usage != nil {
			usage = list[i].Usage
		}
	}
	if got, want := string(tr.Append(nil, api.Head{ID: "gen-1", Model: "sonnet"}, &api.Total{})), `{"id":"gen-1","model":"sonnet",`+rest; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if usage == nil || usage.Prompt != 3 || usage.Completion != 2 {
		t.Errorf("usage %+v", usage)
	}
}

// TestNativeRequest: what has no canonical form goes to Anthropic all the same,
// with the client's headers.
func TestNativeRequest(t *testing.T) {
	const messages = `"messages":[{"role":"critic","content":[{"type":"hologram"}]}],"tool_choice":{"type":"maybe"}`
	_, call, _ := native(t, `{"model":"sonnet","max_tokens":9,`+messages+`,"provider":{"only":["anthropic"]}}`, headers{"Anthropic-Version": "2030-01-01", "Anthropic-Beta": "a,b"})
	if want := `{"model":"claude-sonnet-4-5","max_tokens":9,` + messages + `}`; string(call.Body) != want {
		t.Errorf("\n got %s\nwant %s", call.Body, want)
	}
	got := map[string]string{}
	for _, h := range call.Headers {
		got[h.Name] = h.Value
	}
	if got["anthropic-version"] != "2030-01-01" || got["anthropic-beta"] != "a,b" {
		t.Errorf("headers %v", got)
	}
}
