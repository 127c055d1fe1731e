package codec_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hybridinference/gateway/adapters/codec"
)

func TestScrub(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := codec.Scrub(in); got != want {
			t.Errorf("Scrub(%q) = %q, want %q", in, got, want)
		}
	}
	f("The prompt is too long: 200001 > 200000", "The prompt is too long: 200001 > 200000")
	f("  two\n\n lines\t", "two lines")
	f("see https://docs.example.com/x?y=1.", "see [redacted].")
	f("connect to 10.1.2.3:8000 failed", "connect to [redacted] failed")
	f("connect to [::1]:80", "connect to [[redacted]]:80")
	f("host llm-7.pool.svc refused, vllm-0:8000 too", "host [redacted] refused, [redacted] too")
	f("api.example.com/v1/chat said no", "[redacted] said no")
	f("Incorrect API key provided: sk-abcdefgh1234", "Incorrect API key provided: [redacted]")
	f(`{"key":"sk-live-abcdefgh","at":3}`, `{"key":"[redacted]","at":3}`)
	f("key:sk-live-abcdefgh", "[redacted]")
	f("Authorization: Bearer abc", "Authorization: Bearer [redacted]")
	f("token=eyJhbGciOiJIUzI1NiJ9", "[redacted]")
	f("organization 0df3133d-c477-56d2-b4db-f2093bb150a1 is over", "organization [redacted] is over")
	f("model gpt-4.1-nano or Qwen/Qwen3-0.6B at 12:30, ratio 1:2", "model gpt-4.1-nano or Qwen/Qwen3-0.6B at 12:30, ratio 1:2")
	f("您的账户已欠费，请充值后重试。", "您的账户已欠费，请充值后重试。")
	f("bad \xff bytes", "bad bytes")
	f("<html><body>proxy.internal</body></html>", "<html><body>[redacted]</body></html>")
	f("", "")
}

func TestHide(t *testing.T) {
	f := func(text, secret, want string) {
		t.Helper()
		if got := codec.Hide(text, secret); got != want {
			t.Errorf("Hide(%q, %q) = %q, want %q", text, secret, got, want)
		}
	}
	f("bad key MySecretUpKey77.", "MySecretUpKey77", "bad key [redacted].")
	f("bad key mysecretupkey77, MYSECRETUPKEY77", "MySecretUpKey77", "bad key [redacted], [redacted]")
	f("token-abc123token-abc123", "token-abc123", "[redacted][redacted]")
	f("cut in the middle: MySecre...", "MySecretUpKey77", "cut in the middle: [redacted]...")
	f("cut in the middle: MySecre", "MySecretUpKey77", "cut in the middle: [redacted]")
	f("not cut: MyS", "MySecretUpKey77", "not cut: MyS")
	f(`{"key":"a\/b+c9"}`, "a/b+c9", `{"key":"[redacted]"}`)
	f("too short to be told from words: abc", "abc", "too short to be told from words: abc")
	f("", "MySecretUpKey77", "")
	f("x", "", "x")
}

func TestScrubBoundsTheLength(t *testing.T) {
	for _, in := range []string{strings.Repeat("word ", 500), strings.Repeat("ü", 2000), strings.Repeat("a b", 3000)} {
		got := codec.Scrub(in)
		if len(got) > 510 || !strings.HasSuffix(got, "...") || !utf8.ValidString(got) {
			t.Errorf("%d bytes: %q", len(got), got)
		}
	}
}

func FuzzScrub(f *testing.F) {
	f.Add("Bearer sk-abcdefgh at https://x:80/ [::1]:3 \xff")
	f.Fuzz(func(t *testing.T, in string) {
		got := codec.Scrub(in)
		if !utf8.ValidString(got) || strings.Contains(got, "://") || len(got) > 600 {
			t.Fatalf("Scrub(%q) = %q", in, got)
		}
	})
}
