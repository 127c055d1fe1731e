package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
)

// upstreamKey is what an operator has at a provider, and no one else may see.
const upstreamKey = "MySecretUpKey77"

// newBadUpstreams runs the gateway before models that have one endpoint each,
// all at one upstream that answers by its scripts.
func newBadUpstreams(t *testing.T, routing string, scripts map[string]upstream.Script, env ...string) *suite {
	t.Helper()
	s := &suite{t: t, bad: startUpstream(t)}
	dir := t.TempDir()
	var models strings.Builder
	models.WriteString("models:\n")
	for name, script := range scripts {
		_, _ = fmt.Fprintf(&models, "  - id: %[1]s\n    pricing: {prompt: \"10\", completion: \"10\"}\n    route:\n      - {kind: vllm, id: bad, base_url: %[2]q, provider_model_id: up-%[1]s, api_key: \"${BAD_UPSTREAM_KEY}\"}\n", name, s.bad.URL()+"/v1")
		if err := s.bad.Set(upstream.Rule{Model: "up-" + name, Script: script}); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"models.yaml": models.String(), "routing.yaml": strings.ReplaceAll(routing, "UPSTREAM", s.bad.URL()+"/v1")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	port := freePort(t)
	s.gateway = launch(t, "standalone", append([]string{
		"PORT=" + port, "CONTROL_PORT=" + freePort(t), "STATE_DIR=" + filepath.Join(dir, "state"), "MODELS_CONFIG=" + filepath.Join(dir, "models.yaml"),
		"ROUTING_CONFIG=" + filepath.Join(dir, "routing.yaml"), "BAD_UPSTREAM_KEY=" + upstreamKey,
	}, env...))
	s.url = "http://127.0.0.1:" + port
	serving(t, s.url+"/health/ready")
	return s
}

// asked is how often the upstream was asked for a model.
func (s *suite) asked(model string) int { return int(s.bad.Counts().Of("up-" + model).Requests) }

// flood sends requests at the same time and returns how many had each status.
func (s *suite) flood(model string, n int) map[int]int {
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]int{}
	for range n {
		all.Go(func() {
			o := s.ask(model, false)
			mu.Lock()
			defer mu.Unlock()
			seen[o.status]++
			if o.status >= 429 && o.status != http.StatusBadGateway && o.retryAfter == "" {
				s.t.Errorf("%s: %d without Retry-After: %s", model, o.status, o.body)
			}
		})
	}
	all.Wait()
	return seen
}

// TestBreakersProtectTheOnlyEndpoint asks a model that has one endpoint, which
// fails, and counts what reaches it.
func TestBreakersProtectTheOnlyEndpoint(t *testing.T) {
	s := newBadUpstreams(t, "", map[string]upstream.Script{
		"down":    status(500, `{"error":{"message":"x"}}`, nil),
		"cooling": status(429, `{"error":{"message":"slow down"}}`, map[string]string{"Retry-After": "30"}),
	}, "CIRCUIT_COOLDOWN_SECONDS=1")
	for range 3 {
		if o := s.ask("down", false); o.status != http.StatusBadGateway {
			t.Fatalf("%d: %s", o.status, o.body)
		}
	}
	if seen := s.flood("down", 100); seen[http.StatusServiceUnavailable] != 100 || s.asked("down") != 3 {
		t.Errorf("at an open breaker: statuses %v, %d requests upstream, want 3", seen, s.asked("down"))
	}
	// half-open: one probe, whose failure opens it for twice as long
	eventually.True(t, "a probe is let through", func() bool { return s.ask("down", false).status == http.StatusBadGateway })
	begun := time.Now()
	for time.Since(begun) < 1500*time.Millisecond {
		s.flood("down", 20)
	}
	if n := s.asked("down"); n != 4 {
		t.Errorf("%d requests upstream, want 3 and one probe", n)
	}
	// and an answer closes it
	if err := s.bad.Set(upstream.Rule{Model: "up-down"}); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, "a good probe closes the breaker", func() bool { return s.ask("down", false).status == http.StatusOK })
	if seen := s.flood("down", 20); seen[http.StatusOK] != 20 {
		t.Errorf("after a good probe: %v", seen)
	}

	if o := s.ask("cooling", false); o.status != http.StatusTooManyRequests || o.retryAfter != "30" {
		t.Errorf("%d, Retry-After %s", o.status, o.retryAfter)
	}
	seen := s.flood("cooling", 100)
	o := s.ask("cooling", false)
	if wait, _ := strconv.Atoi(o.retryAfter); seen[http.StatusTooManyRequests] != 100 || s.asked("cooling") != 1 || wait < 20 || wait > 30 {
		t.Errorf("while it cools down: statuses %v, %d requests upstream, Retry-After %s", seen, s.asked("cooling"), o.retryAfter)
	}
}

// TestOperatorsSecretsStay has an upstream repeat the operator's key and account
// wherever it can, and looks for them in answers, logs, rows and files.
func TestOperatorsSecretsStay(t *testing.T) {
	leak := `{"error":{"message":"key ` + upstreamKey + ` of admin@acme-corp.example is wrong","type":"` + upstreamKey + `","code":{"key":"` + upstreamKey + `"},"metadata":{"raw":"` + upstreamKey + `"}}}`
	scripts := map[string]upstream.Script{
		"in-stream": {Fault: upstream.Fault{Kind: upstream.ErrorEvent, At: 3, Data: "data: " + leak + "\n\n"}},
		"in-200":    status(200, leak, nil),
		"html":      status(502, "<html>"+upstreamKey+"</html>", map[string]string{"Content-Type": "text/html"}),
		"header":    status(500, leak, map[string]string{"X-Key": upstreamKey, "Retry-After": upstreamKey}),
	}
	for _, code := range []int{400, 401, 402, 403, 404, 422, 429, 500, 503} {
		scripts["status-"+strconv.Itoa(code)] = status(code, leak, nil)
	}
	s := newBadUpstreams(t, "", scripts, "CIRCUIT_FAILURE_THRESHOLD=1000", "CIRCUIT_MIN_AVAILABILITY=0", "DB_STORE_FULL_CONTENT=1", "LOG_LEVEL=debug")
	clean := func(where, text string) {
		t.Helper()
		if strings.Contains(strings.ToLower(text), strings.ToLower(upstreamKey)) || strings.Contains(text, "acme-corp") {
			t.Errorf("%s shows the key or the account: %s", where, text)
		}
	}
	for name := range scripts {
		for _, stream := range []bool{false, true} {
			o := s.ask(name, stream)
			clean(name, o.body)
			if strings.Contains(name, "40") && (strings.Contains(o.body, `"raw"`) || strings.Contains(o.body, `"provider_code"`)) && name != "status-400" && name != "status-404" {
				t.Errorf("%s: raw text or a code of refused credentials: %s", name, o.body)
			}
		}
	}
	for _, path := range []string{"/health", "/admin/endpoints", "/admin/nodes", "/routing"} {
		_, body, err := fetch(t.Context(), http.MethodGet, s.url+path, "")
		if err != nil {
			t.Fatal(err)
		}
		clean(path, body)
	}
	rows := 0
	eventually.True(t, "every request has a row", func() bool {
		_, body, err := fetch(t.Context(), http.MethodGet, s.url+"/admin/logs?limit=100", "")
		if err != nil {
			return false
		}
		clean("/admin/logs", body)
		rows = strings.Count(body, `"request_id"`)
		return rows >= 2*len(scripts)
	})
	clean("the log", s.gateway.out.String())
}

// TestImplausibleUsage has an upstream count tokens that no one can mean.
func TestImplausibleUsage(t *testing.T) {
	scripts := map[string]upstream.Script{}
	for i, usage := range []string{
		`{"prompt_tokens":9223372036854775808,"completion_tokens":9223372036854775807}`, `{"prompt_tokens":-5,"completion_tokens":3}`,
		`{"prompt_tokens":1e400,"completion_tokens":3}`, `{"prompt_tokens":1099511627776,"completion_tokens":1099511627776}`,
	} {
		scripts["usage-"+strconv.Itoa(i)] = upstream.Script{Usage: usage}
	}
	s := newBadUpstreams(t, "", scripts)
	for name := range scripts {
		o := s.ask(name, false)
		var answer struct {
			Usage struct {
				Prompt     int64       `json:"prompt_tokens"`
				Completion int64       `json:"completion_tokens"`
				Cost       json.Number `json:"cost"`
			}
		}
		if err := json.Unmarshal([]byte(o.body), &answer); err != nil || o.status != http.StatusOK {
			t.Errorf("%s: %d %v: %s", name, o.status, err, o.body)
			continue
		}
		u := answer.Usage
		if cost, err := u.Cost.Float64(); err != nil || cost < 0 || u.Prompt < 0 || u.Completion < 0 || u.Prompt > 1<<40 || u.Completion > 1<<40 {
			t.Errorf("%s: %+v", name, u)
		}
	}
}

// TestTricklesTimeOut has an upstream send something for ever that is no
// progress: the timeouts count all the same.
func TestTricklesTimeOut(t *testing.T) {
	forever := func(events ...string) upstream.Script {
		script := upstream.Script{Pace: upstream.Duration(20 * time.Millisecond), Events: events}
		for range 3000 {
			script.Events = append(script.Events, events[len(events)-1])
		}
		return script
	}
	const content, empty = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"marker\"}}]}\n\n", "data: {\"choices\":[{\"index\":0,\"delta\":{}}]}\n\n"
	s := newBadUpstreams(t, "", map[string]upstream.Script{
		"comments": forever(": queued\n\n"), "blanks": forever("\n"), "empty": forever(empty), "late-comments": forever(content, ": busy\n\n"), "late-empty": forever(content, empty),
	}, "STREAM_FIRST_BYTE_TIMEOUT_SECONDS=0.5", "STREAM_IDLE_TIMEOUT_SECONDS=0.5")
	for name, want := range map[string]int{"comments": 524, "blanks": 524, "empty": 524, "late-comments": 200, "late-empty": 200} {
		begun := time.Now()
		if err := s.ask(name, true).broken(want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%s: after %s", name, took)
		}
	}
	eventually.True(t, "the upstream is left", func() bool { return s.bad.Counts().Total.Open == 0 })
}

// TestHealthChecksOfAServerThatHasNone: the path is told, and does not exist.
func TestHealthChecksOfAServerThatHasNone(t *testing.T) {
	const routing = "health_check: {interval: 0.1, path: /no/such/path, statuses: [200]}\ntimeout: 1\nlocal_deployment:\n  - {endpoint: \"UPSTREAM\", models: [m]}\n"
	s := newBadUpstreams(t, routing, map[string]upstream.Script{"m": {}})
	if err := s.bad.Set(upstream.Rule{Path: "/no/such/path", Script: upstream.Script{Status: 404}}); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, "the endpoint is reported as unprobed", func() bool {
		_, body, err := fetch(t.Context(), http.MethodGet, s.url+"/admin/endpoints", "")
		return err == nil && strings.Contains(body, `"state":"unprobed"`) && strings.Contains(body, `"state":"up"`)
	})
	if err := s.ask("m", false).complete(false); err != nil {
		t.Error(err)
	}
}

// hostile are the beginnings and ends of connections that mean no good. MODEL-
// is replaced by a model of the gateway, KEY- by a key.
func hostile() map[string]string {
	chat := func(body string, headers ...string) string {
		return "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY-\r\nContent-Type: application/json\r\n" + strings.Join(append(headers, ""), "\r\n") +
			"Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	}
	good := `{"model":"MODEL-","stream":true,"messages":[{"role":"user","content":"echo:marker"}]}`
	return map[string]string{
		"nothing":         "",
		"garbage":         "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"half a head":     "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConte",
		"half a body":     strings.Replace(chat(good), "Content-Length: ", "Content-Length: 9", 1),
		"two lengths":     chat(good, "Transfer-Encoding: chunked"),
		"bad chunks":      "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
		"a huge header":   "GET /v1/models HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 64<<10) + "\r\n\r\n",
		"an old version":  "GET /v1/models HTTP/0.9\r\n\r\n",
		"not JSON":        chat("{"),
		"deep JSON":       chat(strings.Repeat("[", 20_000)),
		"a number":        chat(`{"model":"MODEL-","messages":[{"role":"user","content":"x"}],"max_tokens":1e999}`),
		"two models":      chat(`{"model":"a","Model":"b","messages":[{"role":"user","content":"x"}]}`),
		"an unknown path": "GET /v1/%2e%2e/%00?" + strings.Repeat("a=b&", 200) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"leaves at once":  chat(good),
		"pipelines":       strings.Repeat(chat(good), 5),
		"a folded header": chat(good, "X: a\r\n b"),
		"an old client":   strings.Replace(chat(good), "HTTP/1.1", "HTTP/1.0", 1),
		"no key":          "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n" + strings.Repeat("x", 64<<10),
		"no key, chunked": "POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n" + strings.Repeat("x", 64<<10),
		"a large body":    chat(strings.Repeat(" ", 64<<10), "Content-Type: x")[:32<<10],
	}
}

// badUpstreams are ways in which a provider may misbehave, and one that does not.
func badUpstreams() map[string]upstream.Script {
	leak := `{"error":{"message":"the key ` + upstreamKey + ` is wrong","code":{"key":"` + upstreamKey + `"}}}`
	comments := make([]string, 100)
	for i := range comments {
		comments[i] = ": queued\n\n"
	}
	return map[string]upstream.Script{
		"good": {}, "reset": fault(upstream.Reset, 3), "half": fault(upstream.Half, 3), "slow": {Delay: upstream.Duration(200 * time.Millisecond)}, "large": {Chunks: 200, ChunkSize: 2000},
		"comments": {Events: comments, Pace: upstream.Duration(20 * time.Millisecond)},
		"trickle":  {TrickleBytes: 7, TrickleEvery: upstream.Duration(5 * time.Millisecond)},
		"leak":     {Fault: upstream.Fault{Kind: upstream.ErrorEvent, At: 3, Data: "data: " + leak + "\n\n"}},
		"refuses":  status(http.StatusUnauthorized, leak, nil),
		"absurd":   {Usage: `{"prompt_tokens":9223372036854775808,"completion_tokens":-1}`},
	}
}

// TestHostileRequestsLeaveNothingBehind sends ten thousand of them, into models
// whose upstreams break, and looks at what the process holds afterwards.
func TestHostileRequestsLeaveNothingBehind(t *testing.T) {
	s := newBadUpstreams(t, "", badUpstreams(), "CIRCUIT_FAILURE_THRESHOLD=1000", "CIRCUIT_MIN_AVAILABILITY=0", "LOG_LEVEL=error",
		"GODEBUG=gctrace=1", "GOGC=20", "USER_AUTH_ENABLED=true", "ADMIN_TOKEN="+adminToken, "API_KEY_SECRET=a secret of some length")
	_, body, err := fetch(t.Context(), http.MethodPost, s.url+"/admin/keys", `{"name":"hostile"}`, "Authorization", "Bearer "+adminToken)
	var made struct{ Key string }
	if err := errors.Join(err, json.Unmarshal([]byte(body), &made)); err != nil || made.Key == "" {
		t.Fatalf("%v: %s", err, body)
	}
	s.key = made.Key
	eventually.True(t, "the key works", func() bool { return s.ask("good", false).status == http.StatusOK })
	var kinds []string
	for _, text := range hostile() {
		text = strings.ReplaceAll(text, "KEY-", s.key)
		if !strings.Contains(text, "MODEL-") {
			kinds = append(kinds, text)
			continue
		}
		for model := range badUpstreams() {
			kinds = append(kinds, strings.ReplaceAll(text, "MODEL-", model))
		}
	}
	address := strings.TrimPrefix(s.url, "http://")
	round := func(n int) {
		var all sync.WaitGroup
		for worker := range 32 {
			all.Go(func() {
				for i := worker; i < n; i += 32 {
					if err := attack(address, kinds[i%len(kinds)], i%3 == 0); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	fds, _ := s.held()
	round(5000)
	heap := s.liveHeap()
	round(5000)
	if now := s.liveHeap(); now > heap+16 {
		t.Errorf("%d MB are in use, %d before", now, heap)
	}
	if err := s.ask("good", true).complete(true); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	eventually.True(t, "the upstream is left", func() bool { return s.bad.Counts().Total.Open == 0 })
	eventually.Nil(t, 30*time.Second, "descriptors come back", func() error {
		now, _ := s.held()
		_, body, err := fetch(t.Context(), http.MethodGet, s.url+"/health", "")
		switch {
		case err != nil:
			return err
		case !strings.Contains(body, `"in_flight":0`) || strings.Contains(body, "panicked"):
			return fmt.Errorf("health: %s", body)
		case now > fds+16:
			return fmt.Errorf("%d descriptors, %d before", now, fds)
		}
		return nil
	})
	// its last words are a dump of its goroutines
	s.gateway.signal(syscall.SIGQUIT)
	_ = s.gateway.wait(30 * time.Second)
	dump := s.gateway.out.String()
	if n := strings.Count(dump, "serveConn("); n > 8 || strings.Contains(dump, "secureAnswer") || !strings.Contains(dump, "SIGQUIT: quit") {
		t.Errorf("%d connections are still served:\n%s", n, tail(dump))
	}
}

// liveHeap returns how many MB were in use at the end of a garbage collection
// that has yet to come; the process runs with GODEBUG=gctrace=1. What the
// operating system counts has much of the race detector's in it.
func (s *suite) liveHeap() (mb int) {
	s.t.Helper()
	trace := regexp.MustCompile(`(?m)^gc \d+ @.* \d+->\d+->(\d+) MB`)
	before := len(trace.FindAllString(s.gateway.out.String(), -1))
	eventually.True(s.t, "garbage is collected", func() bool {
		s.flood("good", 32)
		found := trace.FindAllStringSubmatch(s.gateway.out.String(), -1)
		if len(found) < before+2 { // the next one has begun before it
			return false
		}
		mb, _ = strconv.Atoi(found[len(found)-1][1])
		return true
	})
	return mb
}

// attack sends text and, if it is patient, reads whatever is answered for a
// while. Then it leaves.
func attack(address, text string, patient bool) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, text) // may be thrown out before it is done
	if patient && err == nil {
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, _ = io.Copy(io.Discard, c)
	}
	return nil
}
