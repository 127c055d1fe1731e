package gateway

import (
	"testing"

	"github.com/valyala/fasthttp"
)

// TestHeaders: what is there is found, in whatever case it is asked for; what is not is nil.
func TestHeaders(t *testing.T) {
	names := []string{
		"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Traceparent", "Tracestate", "Content-Encoding", "X-Route-Pin", "X-Session-Id",
		"X-Claude-Code-Session-Id", "Session-Id", "Session_id", "HTTP-Referer", "X-OpenRouter-Title", "X-Title", "X-OpenRouter-Metadata",
		"X-OpenRouter-Experimental-Metadata", "X-Stainless-Retry-Count", "X-Reasoning-Passthrough", "Anthropic-Beta", "Anthropic-Version", "User-Agent", "x",
	}
	for _, there := range names {
		ctx := new(fasthttp.RequestCtx)
		ctx.Request.Header.Set(there, "value")
		h := headersOf(ctx)
		for _, name := range names {
			if got, want := string(h.Peek(name)), string(ctx.Request.Header.Peek(name)); got != want {
				t.Errorf("%s is %q instead of %q where there is %s", name, got, want, there)
			}
		}
		if h.Peek("") != nil {
			t.Error("a header without a name")
		}
	}
}
