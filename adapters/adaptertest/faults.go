package adaptertest

import (
	"testing"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

// statuses checks the classes that a status has whatever the body: proxies
// answer with pages of their own, or with nothing.
func (h Harness) statuses(t *testing.T) {
	a := h.adapter(t, Case{Provider: h.Provider, Name: "", Model: "model", Status: 500})
	f := func(status int, body string, want fault.Kind) {
		t.Helper()
		got := a.Fault(status, []byte(body))
		if got.Kind != want || got.Status != status {
			t.Errorf("%d %q: %v with status %d, want %v", status, body, got.Kind, got.Status, want)
		}
		checkMessage(t, got)
	}
	for _, body := range []string{"", "<html><head><title>Oops</title></head><body>https://internal.example.com/x sk-live-abcdefgh</body></html>", "{", "null", "[]", "{}", `"text"`, "\n\n"} {
		f(400, body, fault.InvalidRequest)
		f(401, body, fault.Authentication)
		f(402, body, fault.Payment)
		f(403, body, fault.Permission)
		f(404, body, fault.NotFound)
		f(408, body, fault.Timeout)
		f(413, body, fault.InvalidRequest)
		f(422, body, fault.InvalidRequest)
		f(429, body, fault.RateLimit)
		f(500, body, fault.Unavailable)
		f(502, body, fault.Unavailable)
		f(503, body, fault.Overloaded)
		f(504, body, fault.Timeout)
		f(524, body, fault.Timeout)
		f(529, body, fault.Overloaded)
	}
}

// rubbish checks that what is no answer becomes a fault and nothing worse.
func (h Harness) rubbish(t *testing.T) {
	a := h.adapter(t, Case{Provider: h.Provider, Name: "", Model: "model", Status: 200})
	for _, body := range []string{"", " ", "<html></html>", "null", "[]", "7", "{}", `{"choices":[]}`, `{"choices":null}`, "\xff\xfe", `{"a":"`} {
		if tr := Body(a, []byte(body)); tr.Err == nil || tr.Err.Kind != fault.Unavailable {
			t.Errorf("body %q: %v, want %v", body, tr.Err, fault.Unavailable)
		}
		if _, ok := a.(codec.Framed); ok {
			if tr := Stream(a, []byte(body), 4); tr.Err == nil || tr.Err.Kind != fault.Unavailable {
				t.Errorf("stream of %q: %v, want %v", body, tr.Err, fault.Unavailable)
			}
			continue
		}
		if tr := Stream(a, []byte("data: "+body+"\n\n"), 4); tr.Err == nil || tr.Err.Kind != fault.Unavailable {
			t.Errorf("stream of %q: %v, want %v", body, tr.Err, fault.Unavailable)
		}
	}
}
