package gateway_test

import (
	"encoding/json"
	"testing"
)

// The X-Request-ID of an answer, the client's or the node's, is in its event and
// in the body of an error. The event names a model only if one has the name.
func TestEventsSayTheRequestID(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:demo-api", "demo", "")))
	for i, f := range []struct {
		body, sent, model string
		status            int
	}{
		{ping, "mine-1", "demo", 200},
		{ping, "", "demo", 200},
		{ping, "not fit to be echoed", "demo", 200},
		{`{"model":"made-up","messages":[]}`, "", "", 400},
		{`{"model":"demo:nitro","messages":[{"role":"user","content":"Ping"}]}`, "mine-2", "demo", 200},
		{`{"model":"demo","messages":[{"role":"user","content":"Ping"}],"provider":{"only":["nobody"]}}`, "mine-3", "demo", 404},
	} {
		var headers []string
		if f.sent != "" {
			headers = []string{"X-Request-Id", f.sent}
		}
		r := n.chat(f.body, headers...)
		id := r.Header.Get("X-Request-Id")
		e := n.event(i)
		if r.StatusCode != f.status || id == "" || e.HTTPRequestID != id || e.Model != f.model {
			t.Errorf("%s: status %d, X-Request-Id %q; the event says %q and model %q, want %d and %q", f.body, r.StatusCode, id, e.HTTPRequestID, e.Model, f.status, f.model)
		}
		if fit := f.sent != "" && f.sent != "not fit to be echoed"; fit != (id == f.sent) {
			t.Errorf("X-Request-Id %q for %q", id, f.sent)
		}
		if f.status >= 400 {
			var body struct {
				Error struct {
					Metadata struct {
						RequestID string `json:"request_id"`
					}
				}
			}
			if err := json.Unmarshal([]byte(r.body), &body); err != nil || body.Error.Metadata.RequestID != id {
				t.Errorf("the error shows %q, %v; want %q: %s", body.Error.Metadata.RequestID, err, id, r.body)
			}
		}
	}
}

// A request's trace is in its event, whatever becomes of the request.
func TestEventsSayTheTrace(t *testing.T) {
	n := start(t, nodeOptions{}, model("demo", endpoint("demo:demo-api", "demo", "")))
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for i, f := range []struct{ body, parent, want string }{
		{ping, "00-" + id + "-00f067aa0ba902b7-01", id},
		{`{"model":"made-up","messages":[]}`, "00-" + id + "-00f067aa0ba902b7-00", id},
		{ping, "00-" + id + "-nonsense", ""},
	} {
		n.chat(f.body, "Traceparent", f.parent)
		if e := n.event(i); e.TraceID != f.want || e.SpanID != "" {
			t.Errorf("%s, traceparent %s: the event says %q and span %q, want %q", f.body, f.parent, e.TraceID, e.SpanID, f.want)
		}
	}
}
