package dispatch_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/shared/fault"
)

// Whatever an upstream says, and where: the endpoint's keys and what concerns
// the operator's account stay in the gateway.
func TestSecretsAreTakenOutOfFaults(t *testing.T) {
	const leak = `{"error":{"message":"bad key secret-MyUpKey77 of acme","type":"secret-MyUpKey77","code":"secret-MyUpKey77"}}`
	f := func(name, body string, s script, kind fault.Kind, account bool) {
		t.Run(name, func(t *testing.T) {
			st := newStage(t, endpoint{id: "a", keys: []string{"MyUpKey77", "other"}, scripts: []script{s}})
			st.start(body, dispatch.Policy{})
			_, err := st.finish()
			st.run.Close()
			got := fault.From(err)
			if got.Kind != kind {
				t.Errorf("%v, want a fault of kind %s", got, kind)
			}
			for _, text := range []string{got.Message, got.Raw, got.Code, got.Error()} {
				if strings.Contains(text, "MyUpKey77") {
					t.Errorf("the key is shown: %q", text)
				}
			}
			if account && (got.Raw != "" || got.Code != "" || strings.Contains(got.Message, "acme")) {
				t.Errorf("the account is shown: %+v", got)
			}
			if _, reason := st.model.Endpoints[0].State.Condition(st.begun); strings.Contains(reason, "MyUpKey77") {
				t.Errorf("operators are shown the key: %s", reason)
			}
		})
	}
	status := func(code int, body string) script { return script{status: code, pieces: []piece{{0, body}}} }
	for _, body := range []string{unaryBody, streamedBody} {
		f("401", body, status(401, leak), fault.Authentication, true)
		f("402", body, status(402, leak), fault.Payment, true)
		f("403", body, status(403, leak), fault.Permission, true)
		f("500", body, status(500, leak), fault.Unavailable, false)
		f("429 that is not JSON", body, status(429, "slow down secret-MyUpKey77"), fault.RateLimit, false)
		f("another of its keys", body, status(500, `{"error":"secret-other is better than secret-MyUpKey77"}`), fault.Unavailable, false)
		f("in a 200", body, says(leak), fault.Unavailable, false)
	}
	f("in a stream", streamedBody, says(delta+"data: "+leak+"\n\n"), fault.Unavailable, false)
	f("cut in the middle", unaryBody, status(500, `{"error":"`+strings.Repeat("x ", 245)+`secret-MyUpKey77"}`), fault.Unavailable, false)
}

// Usage that no provider can mean counts as none given.
func TestImplausibleUsage(t *testing.T) {
	f := func(usage string, want bool) {
		t.Helper()
		s := newStage(t, endpoint{id: "a", scripts: []script{says(strings.TrimSuffix(hello, "}") + `,"usage":` + usage + "}")}})
		s.start(unaryBody, dispatch.Policy{})
		defer s.run.Close()
		events, err := s.run.Next(1 << 40)
		if err != nil {
			t.Fatal(err)
		}
		given := false
		for i := range events {
			given = given || events[i].Usage != nil
		}
		if given != want {
			t.Errorf("%s: usage given %v, want %v", usage, given, want)
		}
	}
	f(`{"prompt_tokens":3,"completion_tokens":4}`, true)
	f(`{"prompt_tokens":1099511627776,"completion_tokens":4}`, true)
	f(`{"prompt_tokens":1099511627777,"completion_tokens":4}`, false)
	f(`{"prompt_tokens":9223372036854775808,"completion_tokens":4}`, false)
	f(`{"prompt_tokens":3,"completion_tokens":-4}`, false)
	f(`{"prompt_tokens":3,"completion_tokens":1e300}`, false)
	f(`{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":18446744073709551616}}`, false)
	f(`{"prompt_tokens":3,"completion_tokens":4,"completion_tokens_details":{"reasoning_tokens":-1}}`, false)
}
