package codec_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

func TestClassify(t *testing.T) {
	f := func(status int, body string, kind fault.Kind, code, message string) {
		t.Helper()
		got := codec.Classify(status, codec.ReadReport([]byte(body)))
		if got.Kind != kind || got.Code != code || got.Message != message || got.Status != status {
			t.Errorf("%d %s:\n got %v, code %q, %q\nwant %v, code %q, %q", status, body, got.Kind, got.Code, got.Message, kind, code, message)
		}
	}
	const account = "The upstream refused the gateway's credentials or account"
	f(400, `{"error":{"message":"Bad temperature","type":"invalid_request_error","code":null}}`, fault.InvalidRequest, "invalid_request_error", "Bad temperature")
	f(400, `{"error":{"message":"Too long","code":"context_length_exceeded"}}`, fault.ContextLength, "context_length_exceeded", "Too long")
	f(400, `{"error":{"message":"The input (9 tokens) is longer than the model's context length (8 tokens)."}}`, fault.ContextLength, "", "The input (9 tokens) is longer than the model's context length (8 tokens).")
	f(429, `{"error":{"message":"You exceeded your quota","code":"insufficient_quota"}}`, fault.Payment, "insufficient_quota", account)
	f(429, `{"error":{"message":"Slow down","type":"tokens"}}`, fault.RateLimit, "tokens", "Slow down")
	f(500, `{"error":{"message":"Overloaded","type":"overloaded_error"}}`, fault.Overloaded, "overloaded_error", "Overloaded")
	f(401, `{"error":"Unauthorized"}`, fault.Authentication, "", account)
	f(422, `{"detail":[{"loc":["body","n"],"msg":"n is too large","type":"value_error"}]}`, fault.InvalidRequest, "value_error", "n is too large")
	f(503, `{"detail":"No instances"}`, fault.Overloaded, "", "No instances")
	f(404, `{"object":"error","message":"no such model","type":"NotFoundError","param":null,"code":404}`, fault.NotFound, "NotFoundError", "The upstream does not know this model")
	// a code has the form of one; objects and sentences are dropped
	f(500, `{"error":{"message":"x","code":{"account":"acme"}}}`, fault.Unavailable, "", "x")
	f(500, `{"error":{"message":"x","code":"the account acme"}}`, fault.Unavailable, "", "x")
	f(500, `{"error":{"message":"x","type":"Some.Type:a-b_9"}}`, fault.Unavailable, "Some.Type:a-b_9", "x")
	f(500, `{"error":{"message":"x","type":"`+strings.Repeat("a", 65)+`"}}`, fault.Unavailable, "", "x")
	f(502, `<html>bad gateway</html>`, fault.Unavailable, "", "The upstream failed")
	// an error inside a 200: the body alone tells
	f(0, `{"error":{"message":"No such model","code":404}}`, fault.NotFound, "", "The upstream does not know this model")
	f(0, `{"error":{"message":"x","type":"invalid_request_error"}}`, fault.InvalidRequest, "invalid_request_error", "x")
	f(0, `{"error":{"message":"x","type":"timeout_error"}}`, fault.Timeout, "timeout_error", "x")
	f(0, `{"error":{"message":"x"}}`, fault.Unavailable, "", "x")
	f(0, `not JSON`, fault.Unavailable, "", "The upstream failed")
	// OpenRouter: what the provider behind it said
	f(400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"error\":{\"message\":\"prompt is too long: 3 > 2\"}}","provider_name":"P"}}}`, fault.ContextLength, "", "prompt is too long: 3 > 2")
	f(400, `{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"ERROR","provider_name":"P"}}}`, fault.InvalidRequest, "", "ERROR")
	f(403, `{"error":{"message":"This model requires moderation","code":403,"metadata":{"reasons":["violence"],"flagged_input":"..."}}}`, fault.ContentFilter, "moderation", "This model requires moderation")
}

// What is said of the operator's account is not the client's to know.
func TestAccountsAreNotShown(t *testing.T) {
	f := codec.Classify(429, codec.ReadReport([]byte(`{"error":{"message":"Limit reached for gpt-4o in organization org-Xy12ab on tokens, project proj_99aa, ask admin@acme.example","code":"rate_limit_exceeded"}}`)))
	if want := "Limit reached for gpt-4o in organization [redacted] on tokens, project [redacted], ask [redacted]"; f.Message != want {
		t.Errorf("%q, want %q", f.Message, want)
	}
	for _, part := range []string{"Xy12ab", "99aa", "acme"} {
		if strings.Contains(f.Raw, part) {
			t.Errorf("raw shows %s: %s", part, f.Raw)
		}
	}
}

func TestReportedDelays(t *testing.T) {
	f := func(body string, want time.Duration) {
		t.Helper()
		if got := codec.ReadReport([]byte(body)).RetryAfter; got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
	f(`{"error":{"details":[{"@type":"x","retryDelay":"1.5s"}]}}`, 1500*time.Millisecond)
	f(`{"error":{"details":[{"retryDelay":"-1s"}]}}`, 0)
	f(`{"error":{"availability":{"code":"capacity_exhausted","retry_after":7}}}`, 7*time.Second)
	f(`{"error":{"retry_after":1e30}}`, 0)
	f(`{"error":{"message":"x"}}`, 0)
}

func FuzzReadReport(f *testing.F) {
	f.Add([]byte(`[{"error":{"code":429,"message":"m","status":"S","details":[{"reason":"R","retryDelay":"1s"}],"metadata":{"raw":"{}"}}}]`))
	f.Add([]byte(`{"base_resp":{"status_code":1008,"status_msg":"x"},"detail":[{"msg":"y"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if got := codec.Classify(0, codec.ReadReport(body)); got.Message == "" || got.RetryAfter < 0 {
			t.Fatalf("%q: %+v", body, got)
		}
	})
}
