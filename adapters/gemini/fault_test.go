package gemini_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/fault"
)

func TestFaults(t *testing.T) {
	a := adapter(t, settings("gemini-2.5-flash"))
	f := func(status int, body string, kind fault.Kind, retry time.Duration, code string) {
		t.Helper()
		got := a.Fault(status, []byte(body))
		if got.Kind != kind || got.RetryAfter != retry || got.Status != status || got.Code != code {
			t.Errorf("%d %s\n got %v, %v, status %d, code %q\nwant %v, %v, code %q", status, body, got.Kind, got.RetryAfter, got.Status, got.Code, kind, retry, code)
		}
		if strings.Contains(got.Message, "://") || got.Message == "" {
			t.Errorf("%s: message %q", body, got.Message)
		}
	}
	quota := func(id string) string {
		return `{"error":{"code":429,"message":"You exceeded your current quota, see https://example.test/quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"Help","links":[{"url":"u"}]},
			{"violations":[{"quotaMetric":"m","quotaId":"` + id + `"}]},{"retryDelay":"1.5s"}]}}`
	}
	f(429, quota("RequestsPerMinutePerProject"), fault.RateLimit, 1500*time.Millisecond, "RESOURCE_EXHAUSTED")
	f(429, quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), fault.Payment, 0, "GenerateRequestsPerDayPerProjectPerModel-FreeTier")
	f(429, "["+quota("TokensPerDay")+"\n]", fault.Payment, 0, "TokensPerDay")
	f(400, `{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}`, fault.Authentication, 0, "API_KEY_INVALID")
	f(400, `{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}`, fault.Permission, 0, "FAILED_PRECONDITION")
	f(400, `{"error":{"code":400,"message":"Unknown name \"x\"","status":"INVALID_ARGUMENT"}}`, fault.InvalidRequest, 0, "INVALID_ARGUMENT")
	f(400, `{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}`, fault.ContextLength, 0, "INVALID_ARGUMENT")
	f(403, `{"error":{"code":403,"message":"The caller does not have permission","status":"PERMISSION_DENIED"}}`, fault.Permission, 0, "PERMISSION_DENIED")
	f(404, `{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}`, fault.NotFound, 0, "NOT_FOUND")
	f(500, `{"error":{"code":500,"message":"Internal error encountered.","status":"INTERNAL"}}`, fault.Unavailable, 0, "INTERNAL")
	f(503, `[{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}]`, fault.Overloaded, 0, "UNAVAILABLE")
	f(504, `{"error":{"code":504,"message":"Deadline expired","status":"DEADLINE_EXCEEDED"}}`, fault.Timeout, 0, "DEADLINE_EXCEEDED")
	f(502, `<html>bad gateway</html>`, fault.Unavailable, 0, "")
	f(429, ``, fault.RateLimit, 0, "")
}
