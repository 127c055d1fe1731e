package problem_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/shared/fault"
)

func TestFaultsAsClientsSeeThem(t *testing.T) {
	f := func(in fault.Error, status int, kind string) {
		t.Helper()
		in.Message = "what happened"
		p := problem.Of(&in, "vLLM")
		var got struct {
			Error struct {
				Code     int
				Message  string
				Metadata map[string]string
			}
		}
		body := p.Append(nil)
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		if p.Status != status || got.Error.Code != status || got.Error.Metadata["error_type"] != kind || got.Error.Message == "" {
			t.Errorf("%s of status %d: %s, want %d %s", in.Kind, in.Status, body, status, kind)
		}
	}
	f(fault.Error{Kind: fault.InvalidRequest, Status: 400}, 400, "invalid_request")
	f(fault.Error{Kind: fault.InvalidRequest, Status: 413}, 413, "payload_too_large")
	f(fault.Error{Kind: fault.InvalidRequest, Status: 422}, 422, "unprocessable")
	f(fault.Error{Kind: fault.ContextLength, Status: 400}, 400, "context_length_exceeded")
	f(fault.Error{Kind: fault.ContentFilter, Status: 400}, 400, "content_policy_violation")
	f(fault.Error{Kind: fault.RateLimit, Status: 429}, 429, "rate_limit_exceeded")
	f(fault.Error{Kind: fault.Overloaded, Status: 503}, 503, "provider_overloaded")
	f(fault.Error{Kind: fault.Overloaded, Status: 529}, 529, "provider_overloaded")
	f(fault.Error{Kind: fault.Timeout, Status: 504}, 524, "timeout")
	f(fault.Error{Kind: fault.Unavailable, Status: 500}, 502, "provider_unavailable")
	// what an upstream says of our credentials is our fault, not the client's
	f(fault.Error{Kind: fault.Authentication, Status: 401}, 502, "provider_unavailable")
	f(fault.Error{Kind: fault.Payment, Status: 402}, 502, "provider_unavailable")
	f(fault.Error{Kind: fault.Permission, Status: 403}, 502, "provider_unavailable")
	f(fault.Error{Kind: fault.NotFound, Status: 404}, 502, "provider_unavailable")
	f(fault.Error{Kind: fault.Internal}, 500, "server")
}

func TestOurOwnMistakesAreMasked(t *testing.T) {
	p := problem.Of(&fault.Error{Kind: fault.Internal, Message: "nil map in x.go", Code: "c", Raw: "r"}, "vLLM")
	if got := string(p.Append(nil)); got != `{"error":{"code":500,"message":"Internal server error","metadata":{"error_type":"server","provider_name":"vLLM"}}}` {
		t.Errorf("%s", got)
	}
}

func TestEverythingThatIsKnownIsTold(t *testing.T) {
	p := problem.Of(&fault.Error{Kind: fault.RateLimit, Message: "slow \"down\"", Code: "rate", Raw: `{"a":1}`, RetryAfter: 1100 * time.Millisecond}, "vLLM")
	p.RequestID = "r1"
	p.Previous = []problem.Attempt{{Provider: "SGLang", Code: "timeout"}, {Provider: "Chutes", Code: "unavailable", Status: 500}}
	p.Requested, p.Available = []string{"a"}, []string{"b", "c"}
	p.Routing = []byte(`{"strategy":"direct"}`)
	want := `{"error":{"code":429,"message":"slow \"down\"","metadata":{"error_type":"rate_limit_exceeded","provider_name":"vLLM","provider_code":"rate","raw":"{\"a\":1}","request_id":"r1",` +
		`"requested_providers":["a"],"available_providers":["b","c"],"previous_errors":[{"provider":"SGLang","code":"timeout","status":0},{"provider":"Chutes","code":"unavailable","status":500}]}},"openrouter_metadata":{"strategy":"direct"}}`
	if got := string(p.Append(nil)); got != want || p.Seconds() != 2 {
		t.Errorf("got %s in %d s\nwant %s", got, p.Seconds(), want)
	}
}
