package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/wire"
)

// claude is a server of Anthropic's API that counts tokens, and reports what it
// was asked.
func claude(t *testing.T) (url string, asked chan string) {
	t.Helper()
	asked = make(chan string, 10)
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked <- r.URL.Path + " " + string(body)
		if strings.HasSuffix(r.URL.Path, "/count_tokens") {
			write(w, `{"input_tokens":77}`)
			return
		}
		write(w, `{"id":"msg_up","type":"message","role":"assistant","model":"up","content":[{"type":"container_upload","file_id":"f"},{"type":"text","text":"hi"}],"stop_reason":"stop_sequence","stop_sequence":"END","usage":{"input_tokens":3,"output_tokens":2}}`)
	}), asked
}

func write(w io.Writer, text string) { _, _ = io.WriteString(w, text) } // a client that left has its reasons

func TestTokensAreCounted(t *testing.T) {
	url, asked := claude(t)
	n := start(t, nodeOptions{}, model("native", endpoint("native:a", "anthropic", url)), model("other", endpoint("other:a", "openai_compat", refuses(t, 500, `{}`))))
	f := func(path, body, want string) {
		t.Helper()
		if r := n.do("POST", path, body); r.StatusCode != 200 || r.body != want {
			t.Errorf("%s %s: %d %s, want %s", path, body, r.StatusCode, r.body, want)
		}
	}
	const hello = `"messages":[{"role":"user","content":"Hello world"}]`
	f("/v1/messages/count_tokens", `{"model":"native",`+hello+`}`, `{"input_tokens":77}`)
	f("/v1/messages/count_tokens", `{"model":"other",`+hello+`}`, `{"input_tokens":7}`)
	f("/anthropic/v1/messages/count_tokens", `{"model":"other",`+hello+`}`, `{"input_tokens":7}`)
	f("/v1/responses/input_tokens", `{"model":"other","input":"Hello world"}`, `{"object":"response.input_tokens","input_tokens":7}`)
	if want := `/v1/messages/count_tokens {"model":"up-native:a",` + hello + `}`; len(asked) != 1 {
		t.Errorf("the upstream was asked %d times", len(asked))
	} else if got := <-asked; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
	// Only the generation afterwards is accounted for.
	n.do("POST", "/v1/messages", `{"model":"native","max_tokens":9,`+hello+`}`)
	if u := n.event(0); u.API != "messages" || u.PromptTokens != 3 {
		t.Errorf("the first usage event is %s with %d tokens", u.API, u.PromptTokens)
	}
}

// TestTokensAreCountedWhileTheEndpointRests: nothing has to be asked for that.
func TestTokensAreCountedWhileTheEndpointRests(t *testing.T) {
	n := start(t, nodeOptions{}, model("native", endpoint("native:a", "anthropic", refuses(t, 429, `{}`, "Retry-After", "60"))))
	const hello = `{"model":"native","max_tokens":9,"messages":[{"role":"user","content":"Hello world"}]}`
	if r := n.do("POST", "/v1/messages", hello); r.StatusCode != 429 {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	if r := n.do("POST", "/v1/messages/count_tokens", hello); r.StatusCode != 200 || r.body != `{"input_tokens":7}` {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := n.do("POST", "/v1/messages/count_tokens", strings.Replace(hello, "native", "none", 1)); r.StatusCode == 200 {
		t.Errorf("the tokens of a model that does not exist are counted: %s", r.body)
	}
	if r := n.do("POST", "/v1/messages", hello); r.StatusCode != 429 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// TestNativeMessages: members that no other API has arrive.
func TestNativeMessages(t *testing.T) {
	url, _ := claude(t)
	n := start(t, nodeOptions{}, model("native", endpoint("native:a", "anthropic", url)))
	r := n.do("POST", "/v1/messages", `{"model":"native","max_tokens":9,"messages":[{"role":"user","content":[{"type":"hologram"}]}]}`)
	for _, part := range []string{`"stop_sequence":"END"`, `{"type":"container_upload","file_id":"f"}`, `"model":"native"`, `"id":"gen-`} {
		if !strings.Contains(r.body, part) {
			t.Errorf("no %s in %d %s", part, r.StatusCode, r.body)
		}
	}
}

// TestErrorsBelowMessages: every error there is in the form that Anthropic's
// clients read.
func TestErrorsBelowMessages(t *testing.T) {
	n := start(t, guarded(map[string]wire.Key{}), model("m", endpoint("m:a", "demo", "")))
	f := func(method, path string, status int, kind string) {
		t.Helper()
		r := n.do(method, path, `{"model":"m"}`)
		if r.StatusCode != status || !strings.HasPrefix(r.body, `{"type":"error","error":{"type":"`+kind+`"`) {
			t.Errorf("%s %s: %d %s", method, path, r.StatusCode, r.body)
		}
	}
	f("POST", "/v1/messages", 401, "authentication_error")
	f("POST", "/v1/messages/count_tokens", 401, "authentication_error")
	f("POST", "/v1/messages/batches", 404, "not_found_error")
	f("GET", "/v1/messages", 405, "not_found_error")
	f("GET", "/anthropic/v1/messages/batches", 404, "not_found_error")
}

func TestCompactIsRefused(t *testing.T) {
	n := start(t, nodeOptions{}, model("m", endpoint("m:a", "demo", "")))
	if r := n.do("POST", "/v1/responses/compact", `{"model":"m","input":"x"}`); r.StatusCode != 501 || !strings.Contains(r.body, "does not compact") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// TestOmittedTools: tools that a provider would have to run do not stop an
// agent; the header names them.
func TestOmittedTools(t *testing.T) {
	n := start(t, nodeOptions{}, model("m", endpoint("m:a", "demo", "")))
	r := n.do("POST", "/v1/responses", `{"model":"m","input":"x","tools":[{"type":"web_search"},{"type":"function","name":"f"}],"safety":1}`)
	if got := r.Header.Get("X-Gateway-Dropped-Params"); r.StatusCode != 200 || got != "safety, tools.web_search" {
		t.Errorf("%d %q %s", r.StatusCode, got, r.body)
	}
}

// TestManners: what agents go by.
func TestManners(t *testing.T) {
	n := start(t, guarded(map[string]wire.Key{"secret": {ID: "k1", Role: "user"}}), model("m", endpoint("m:a", "demo", "")))
	const hi = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
	f := func(path, body string, status int, retry string, headers ...string) {
		t.Helper()
		r := n.do("POST", path, body, headers...)
		if r.StatusCode != status || r.Header.Get("X-Should-Retry") != retry {
			t.Errorf("%s %v: %d, should retry %q, want %d, %q: %s", path, headers, r.StatusCode, r.Header.Get("X-Should-Retry"), status, retry, r.body)
		}
	}
	for _, name := range []string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key"} {
		f("/v1/chat/completions", hi, 200, "", name, "secret")
	}
	f("/v1/chat/completions", hi, 401, "false")
	f("/v1/chat/completions", `{"model":"","messages":[{"role":"user","content":"hi"}]}`, 400, "false", "Api-Key", "secret")
	f("/v1/chat/completions", `{"models":[""],"messages":[{"role":"user","content":"hi"}]}`, 400, "false", "Api-Key", "secret")
	for path, want := range map[string]string{
		"/chat/completions": "Did you mean POST /v1/chat/completions?", "/v1/v1/chat/completions": "Did you mean POST /v1/chat/completions?",
		"/openai/v1/responses": "Did you mean POST /v1/responses?", "/v2/messages": "Did you mean POST /v1/messages?", "/elsewhere": "No such path",
		"/v1/chat/completion": "Did you mean POST /v1/chat/completions?", "/v1/message": "Did you mean POST /v1/messages?", "/v1/chat/compleetions": "Did you mean POST /v1/chat/completions?",
		"/v1/messages/count_token": "Did you mean POST /v1/messages/count_tokens?", "/v1/respomses": "Did you mean POST /v1/responses?",
	} {
		if r := n.do("POST", path, hi); r.StatusCode != 404 || !strings.Contains(r.body, want) {
			t.Errorf("%s: %d %s, want %q", path, r.StatusCode, r.body, want)
		}
	}
}

// TestSessions: the first of these that is there names the conversation.
func TestSessions(t *testing.T) {
	n := start(t, nodeOptions{}, model("m", endpoint("m:a", "demo", "")))
	i := 0
	f := func(members, want string, headers ...string) {
		t.Helper()
		n.do("POST", "/v1/chat/completions", `{"model":"m",`+members+`"messages":[{"role":"user","content":"hi"}]}`, headers...)
		if got := n.event(i).SessionID; got != want {
			t.Errorf("%s %v: session %q, want %q", members, headers, got, want)
		}
		i++
	}
	f(`"session_id":"a","prompt_cache_key":"k",`, "a", "X-Session-Id", "b")
	f(`"prompt_cache_key":"k",`, "b", "X-Session-Id", "b", "X-Claude-Code-Session-Id", "c")
	f(``, "c", "X-Claude-Code-Session-Id", "c", "Session-Id", "d")
	f(``, "d", "Session-Id", "d")
	f(`"prompt_cache_key":"k",`, "k")
	f(``, "")
}

// What only Anthropic's servers take is named where it is left out.
func TestWhatMessagesLeaveOut(t *testing.T) {
	n := start(t, nodeOptions{}, model("m", endpoint("m:a", "demo", "")))
	r := n.do("POST", "/v1/messages", `{"model":"m","max_tokens":9,"context_management":{"edits":[]},"mcp_servers":[],"a b":1,"metadata":{"user_id":"u"},
		"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2; cch=1"},{"type":"text","text":"s"}],
		"tools":[{"name":"f","input_schema":{"type":"object"},"defer_loading":true,"input_examples":[{}]}],"messages":[{"role":"user","content":"hi"}]}`)
	const want = "context_management, mcp_servers, system.x-anthropic-billing-header, tools.defer_loading, tools.input_examples"
	if got := r.Header.Get("X-Gateway-Dropped-Params"); r.StatusCode != 200 || got != want {
		t.Errorf("%d, dropped %q, want %q: %s", r.StatusCode, got, want, r.body)
	}
}

// TestRouterParameters: what only OpenRouter's servers act on is named where it
// is left out, and refused where it must not be.
func TestRouterParameters(t *testing.T) {
	n := start(t, nodeOptions{}, model("m", endpoint("m:a", "demo", "")))
	f := func(members string, status int, dropped string) {
		t.Helper()
		r := n.do("POST", "/v1/chat/completions", `{"model":"m",`+members+`,"messages":[{"role":"user","content":"hi"}]}`, "X-OpenRouter-Metadata", "enabled")
		if got := r.Header.Get("X-Gateway-Dropped-Params"); r.StatusCode != status || got != dropped {
			t.Errorf("%s: %d, dropped %q, want %d, %q: %s", members, r.StatusCode, got, status, dropped, r.body)
		}
		if dropped != "" && !strings.Contains(r.body, `"dropped_parameters":["`) {
			t.Errorf("%s: not in the metadata: %s", members, r.body)
		}
	}
	f(`"plugins":[{"id":"web"}],"transforms":["middle-out"],"preset":"p"`, 200, "transforms, plugins, preset")
	f(`"plugins":[],"transforms":[]`, 200, "")
	f(`"plugins":[{"id":"web"}],"provider":{"require_parameters":true}`, 404, "")
	f(`"plugins":[],"provider":{"require_parameters":true}`, 200, "")
}

// TestPublicRouting: the public page names no model that needs a role.
func TestPublicRouting(t *testing.T) {
	hidden := model("secret-model", endpoint("secret-model:a", "demo", ""))
	hidden.RequiredRole = "internal"
	n := start(t, nodeOptions{}, model("open", endpoint("open:a", "demo", "")), hidden)
	if r := n.do("GET", "/routing", ""); strings.Contains(r.body, "secret-model") || !strings.Contains(r.body, "open") {
		t.Errorf("%s", r.body)
	}
}
