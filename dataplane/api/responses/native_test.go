package responses_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/api/responses"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/fault"
)

// native returns a translator that has encoded a request for a server that has
// the Responses API, what goes there, and the decoder of the answer.
func native(t *testing.T, body string) (api.Translator, *codec.Call, codec.Decoder) {
	t.Helper()
	a, err := adapters.New(codec.Settings{Kind: "openai_compat", BaseURL: "https://upstream.test", Model: "gpt-up", Responses: true, Tools: true})
	if err != nil {
		t.Fatal(err)
	}
	tr := parse(t, body)
	call := &codec.Call{}
	if err := tr.Encode(a, call); err != nil {
		t.Fatal(err)
	}
	return tr, call, tr.Decoder(a)
}

func TestNativeRequest(t *testing.T) {
	_, call, _ := native(t, `{"model":"m","store":true,"input":[{"type":"hologram"},{"role":"user","content":"x"}],"tools":[{"type":"web_search"}],"provider":{"only":["a"]},"new":1}`)
	const want = `{"model":"gpt-up","input":[{"type":"hologram"},{"role":"user","content":"x"}],"tools":[{"type":"web_search"}],"new":1,"store":false}`
	if string(call.Body) != want || call.URL != "https://upstream.test/v1/responses" {
		t.Errorf("%s\n got %s\nwant %s", call.URL, call.Body, want)
	}
}

func raw(name, members string) (string, string) {
	return name, `{"type":"` + name + `",` + members + `}`
}

func TestNativeStream(t *testing.T) {
	tr, _, d := native(t, `{"model":"m","input":"x","stream":true}`)
	s := tr.Stream()
	begun, done := false, false
	var seen string
	event := func(name, data string) {
		t.Helper()
		list, err := d.Event([]byte(name), []byte(data), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			if ev := &list[i]; !begun && (ev.HasContent() || ev.Done) {
				begun = true
				s.Begin(api.Head{ID: "gen-1", Model: "m"})
			}
			seen += string(list[i].Content)
			s.Event(&list[i])
			if list[i].Done {
				done = true
				if u := list[i].Usage; u == nil || u.Prompt != 7 || u.CacheRead != 3 || u.Completion != 5 || u.Reasoning != 2 {
					t.Errorf("usage %+v", u)
				}
				s.End(&api.Total{})
			}
		}
	}
	event(raw("response.created", `"sequence_number":0,"response":{"id":"resp_up","model":"gpt-up","status":"in_progress","extra":1}`))
	event(raw("response.in_progress", `"sequence_number":1,"response":{"id":"resp_up","model":"gpt-up"}`))
	if begun {
		t.Error("the stream has begun before there is content")
	}
	event(raw("response.output_item.added", `"sequence_number":2,"output_index":0,"item":{"type":"web_search_call","id":"ws_1"}`))
	event(raw("response.output_text.delta", `"sequence_number":3,"delta":"hi"`))
	event(raw("response.completed", `"sequence_number":4,"response":{"id":"resp_up","model":"gpt-up","status":"completed","usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":3},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2}}}`))
	out := string(*s.Buffer())
	got := events(t, []byte(out))
	if len(got) != 5 || !done || seen != `"hi"` {
		t.Fatalf("%d events, done %v, content %s", len(got), done, seen)
	}
	if strings.Contains(out, "resp_up") || strings.Contains(out, "gpt-up") || !strings.Contains(out, `"id":"gen-1","model":"m","status":"in_progress","extra":1`) {
		t.Errorf("%s", out)
	}
}

func TestNativeFaults(t *testing.T) {
	f := func(name, data string, kind fault.Kind) {
		t.Helper()
		_, _, d := native(t, `{"input":"x","stream":true}`)
		if _, err := d.Event([]byte(name), []byte(data), nil); fault.KindOf(err) != kind {
			t.Errorf("%s: %v, want %v", data, err, kind)
		}
	}
	f("response.failed", `{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow down"}}}`, fault.RateLimit)
	f("error", `{"type":"error","code":"server_error","message":"broken"}`, fault.Unavailable)
	f("x", `{`, fault.Unavailable)
	tr, _, d := native(t, `{"input":"x","stream":true}`)
	if _, err := d.EOF(nil); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a cut stream: %v", err)
	}
	s := tr.Stream()
	s.Event(&chat.Event{RawName: []byte("response.created"), Raw: []byte(`{"type":"response.created","sequence_number":0,"response":{"id":"up"}}`)})
	s.Begin(api.Head{ID: "gen-1", Model: "m"})
	s.Fail(problem.New(502, "provider_unavailable", "gone"))
	got := events(t, *s.Buffer())
	if len(got) != 2 || got[1].Name != "response.failed" {
		t.Errorf("%s", *s.Buffer())
	}
}

func TestNativeAnswer(t *testing.T) {
	tr, _, d := native(t, `{"model":"m","input":"x"}`)
	const rest = `"output":[{"type":"message","content":[{"type":"output_text","text":"hi"}]}],"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":7,"output_tokens":5}}`
	list, err := d.Body([]byte(`{"id":"resp_up","model":"gpt-up",`+rest), nil)
	if err != nil {
		t.Fatal(err)
	}
	last := list[len(list)-1]
	if !last.Done || last.Finish != chat.FinishLength || last.Usage.Prompt != 7 {
		t.Errorf("%+v", last)
	}
	for i := range list {
		tr.Gather(&list[i])
	}
	if got := string(tr.Append(nil, api.Head{ID: "gen-1", Model: "m"}, &api.Total{})); got != `{"id":"gen-1","model":"m",`+rest {
		t.Errorf("%s", got)
	}
	if _, err := d.Body([]byte(`{"id":"r","status":"failed","error":{"code":"server_error","message":"broken"}}`), nil); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("failed: %v", err)
	}
}

func TestOnlyCompatibleServersHaveResponses(t *testing.T) {
	if _, err := adapters.New(codec.Settings{Kind: "gemini", BaseURL: "https://upstream.test", Model: "m", Responses: true}); err == nil {
		t.Error("gemini has the Responses API")
	}
	if tr := responses.Language().New(); tr.Name() != "responses" {
		t.Error(tr.Name())
	}
}
