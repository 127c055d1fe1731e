package vertex_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/adapters/vertex"
	"github.com/hybridinference/gateway/shared/fault"
)

func TestAddress(t *testing.T) {
	f := func(base, model string, stream bool, want string) {
		t.Helper()
		client := `{"messages":[{"role":"user","content":"x"}],"stream":false}`
		if stream {
			client = strings.Replace(client, "false", "true", 1)
		}
		call := adaptertest.Encode(t, newAdapter(t, base, model), []byte(client))
		if call.URL != want || len(call.Headers) != 0 {
			t.Errorf("%s %s: %s %v, want %s", base, model, call.URL, call.Headers, want)
		}
		if !strings.HasPrefix(string(call.Body), `{"anthropic_version":"vertex-2023-10-16","max_tokens":64000,`) || chat.Member(call.Body, "model") != nil {
			t.Errorf("body %s", call.Body)
		}
		if got := string(chat.Member(call.Body, "stream")) == "true"; got != stream {
			t.Errorf("stream in the body: %v, want %v", got, stream)
		}
	}
	models := google + "/publishers/anthropic/models/"
	f(google, "claude-sonnet-4-5@20250929", false, models+"claude-sonnet-4-5@20250929:rawPredict")
	f(google+"/", "claude-sonnet-4-5-20250929", true, models+"claude-sonnet-4-5@20250929:streamRawPredict")
	f(google, "claude-opus-4-6", true, models+"claude-opus-4-6:streamRawPredict")
	f("https://proxy.example.com", "claude-opus-4-6", false, "https://proxy.example.com/v1:rawPredict")
	f("https://proxy.example.com/claude/v1/", "claude-opus-4-6", true, "https://proxy.example.com/claude/v1:streamRawPredict")
}

func TestModelID(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := vertex.ModelID(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	f("claude-3-5-sonnet-v2-20241022", "claude-3-5-sonnet-v2@20241022")
	f("claude-haiku-4-5@20251001", "claude-haiku-4-5@20251001")
	f("claude-sonnet-4-6", "claude-sonnet-4-6")
	f("claude-2025092", "claude-2025092")
	f("-20250929", "-20250929")
	f("", "")
}

func TestAuthorize(t *testing.T) {
	if h := newAdapter(t, google, "m").Authorize("ya29.x\n"); h != (codec.Header{Name: "Authorization", Value: "Bearer ya29.x"}) {
		t.Errorf("%v", h)
	}
	for _, no := range []string{"", ` {"type":"service_account","private_key":"x"}`} {
		if h := newAdapter(t, google, "m").Authorize(no); h != (codec.Header{}) {
			t.Errorf("%q: %v", no, h)
		}
	}
	if h := newAdapter(t, "http://proxy", "m").Authorize("k"); h != (codec.Header{Name: "api-key", Value: "k"}) {
		t.Errorf("%v", h)
	}
}

func TestPartnersGetNoServiceTier(t *testing.T) {
	call := adaptertest.Encode(t, newAdapter(t, google, "claude-sonnet-4-5"),
		[]byte(`{"messages":[{"role":"user","content":"x"}],"service_tier":"auto","cache_control":{"type":"ephemeral"},"top_k":3}`))
	if chat.Member(call.Body, "service_tier") != nil || chat.Member(call.Body, "cache_control") != nil || !call.Dropped.Has(chat.ServiceTier) {
		t.Errorf("%s, dropped %v", call.Body, call.Dropped.Names())
	}
}

func TestFaults(t *testing.T) {
	a := newAdapter(t, google, "m")
	f := func(status int, body string, kind fault.Kind, message string) {
		t.Helper()
		var got *fault.Error
		if status != 200 {
			got = a.Fault(status, []byte(body))
		} else {
			got = adaptertest.Body(a, []byte(body)).Err
			if in := adaptertest.Stream(a, []byte("data: "+body+"\n\n"), 9).Err; in == nil || in.Kind != kind {
				t.Errorf("%s in a stream: %v, want %v", body, in, kind)
			}
		}
		if got == nil || got.Kind != kind || !strings.HasPrefix(got.Message, message) {
			t.Errorf("%d %s: %v, want %v: %s", status, body, got, kind, message)
		}
	}
	f(404, `{"error":{"code":404,"message":"Publisher Model x was not found","status":"NOT_FOUND"}}`, fault.NotFound, "The upstream does not know this model")
	f(403, `[{"error":{"code":403,"message":"denied on project p","status":"PERMISSION_DENIED"}}]`, fault.Permission, "The upstream refused")
	f(400, `{"error":{"code":400,"message":"model not enabled for project p","status":"FAILED_PRECONDITION"}}`, fault.NotFound, "The upstream does not serve this model")
	f(400, `{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: too large"},"request_id":"req_vrtx_1"}`, fault.InvalidRequest, "max_tokens: too large")
	f(429, `{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}`, fault.RateLimit, "Quota exceeded")
	f(529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, fault.Overloaded, "Overloaded")
	// what proxies say with status 200
	f(200, `{"Code":429,"Error":"too many requests"}`, fault.RateLimit, "too many requests")
	f(200, `{"Code":"500","Error":"backend gone"}`, fault.Unavailable, "backend gone")
	f(200, `[{"error":{"code":503,"message":"try later","status":"UNAVAILABLE"}}]`, fault.Overloaded, "try later")
}

func TestAWholeMessageInAStream(t *testing.T) {
	const message = `{"type":"message","id":"msg_vrtx_1","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":3,"output_tokens":1}}`
	tr := adaptertest.Stream(newAdapter(t, "http://proxy", "m"), []byte("data: "+message+"\n\n"), 9)
	if tr.Err != nil || !tr.Done || tr.Choices[0].Content != "hi" || tr.Choices[0].Finish != "stop" || tr.Usage != (chat.Usage{Prompt: 3, Completion: 1}) {
		t.Errorf("%v %+v", tr.Err, tr.Answer)
	}
}
