package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
	"github.com/hybridinference/gateway/shared/eventually"
)

// trouble is what an upstream does, and what the client of a model gets that
// has no one else. Beside a healthy endpoint the client must not notice.
type trouble struct {
	name   string
	script upstream.Script
	// whole and streamed are the statuses of the answer. A stream that has
	// begun has the status 200 and an error in it.
	whole, streamed int
	// late faults come after content: a stream cannot go elsewhere.
	late bool
	// harmless to a whole answer or a stream: no fault for the client.
	harmlessWhole, harmlessStream bool
}

func status(code int, body string, headers map[string]string) upstream.Script {
	return upstream.Script{Status: code, Body: body, Headers: headers}
}

func fault(kind upstream.FaultKind, at int) upstream.Script {
	return upstream.Script{Fault: upstream.Fault{Kind: kind, At: at}}
}

func troubles() []trouble {
	html := map[string]string{"Content-Type": "text/html"}
	return []trouble{
		{name: "status-500", script: status(500, `{"error":{"message":"x"}}`, nil), whole: 502, streamed: 502},
		{name: "status-503-html", script: status(503, "<html>busy</html>", html), whole: 503, streamed: 503},
		{name: "status-429", script: status(429, `{"error":{"message":"x"}}`, nil), whole: 429, streamed: 429},
		{name: "status-401", script: status(401, `{"error":{"message":"bad key sk-verysecretverysecret"}}`, nil), whole: 502, streamed: 502},
		{name: "html-200", script: status(200, "<html>hello</html>", html), whole: 502, streamed: 502},
		{name: "nothing-200", script: upstream.Script{NoBody: true}, whole: 502, streamed: 502},
		{name: "not-json", script: status(200, `{"choices":[{"index":0,`, nil), whole: 502, streamed: 502},
		{name: "reset-before-head", script: fault(upstream.Reset, upstream.BeforeHead), whole: 502, streamed: 502},
		{name: "hangup-before-head", script: fault(upstream.Hangup, upstream.BeforeHead), whole: 502, streamed: 502},
		{name: "reset-after-head", script: fault(upstream.Reset, upstream.AfterHead), whole: 502, streamed: 502},
		{name: "stall-before-head", script: fault(upstream.Stall, upstream.BeforeHead), whole: 524, streamed: 524},
		{name: "stall-after-head", script: fault(upstream.Stall, upstream.AfterHead), whole: 524, streamed: 524},
		{name: "reset-midway", script: fault(upstream.Reset, 3), whole: 502, streamed: 200, late: true},
		{name: "hangup-midway", script: fault(upstream.Hangup, 3), whole: 502, streamed: 200, late: true},
		{name: "half", script: fault(upstream.Half, 3), whole: 502, streamed: 200, late: true},
		{name: "stall-midway", script: fault(upstream.Stall, 3), whole: 524, streamed: 200, late: true},
		{name: "error-event", script: fault(upstream.ErrorEvent, 3), streamed: 200, late: true, harmlessWhole: true},
		{name: "bad-chunk", script: fault(upstream.BadChunk, 3), whole: 502, streamed: 200, late: true},
		{name: "long-length", script: fault(upstream.LongLength, 0), whole: 502, harmlessStream: true},
		{name: "close-after", script: fault(upstream.CloseAfter, 0), harmlessWhole: true, harmlessStream: true},
		{name: "trickle", script: upstream.Script{TrickleBytes: 7, TrickleEvery: upstream.Duration(time.Millisecond)}, harmlessWhole: true, harmlessStream: true},
		{name: "unframed", script: upstream.Script{Unframed: true}, harmlessWhole: true, harmlessStream: true},
	}
}

// suite is a gateway in front of one bad and one good upstream.
type suite struct {
	t         *testing.T
	bad, good *upstream.Server
	gateway   *process
	url       string
	key       string // "" with auth off
}

const faultModel = `  - id: %[1]s
    route:
      - {kind: vllm, id: bad, weight: 1, base_url: "%[2]s", provider_model_id: bad-%[1]s}
      - {kind: sglang, id: good, weight: 0.0000000001, base_url: "%[3]s", provider_model_id: good-%[1]s}
  - id: alone-%[1]s
    route:
      - {kind: vllm, id: bad, base_url: "%[2]s", provider_model_id: bad-alone-%[1]s}
`

func newSuite(t *testing.T) *suite {
	t.Helper()
	s := &suite{t: t}
	s.bad, s.good = startUpstream(t), startUpstream(t)
	var models strings.Builder
	models.WriteString("models:\n")
	for _, f := range append(troubles(), trouble{name: "healthy"}, trouble{name: "refused"}) {
		_, _ = fmt.Fprintf(&models, faultModel, f.name, s.bad.URL(), s.good.URL())
		for _, model := range []string{"bad-" + f.name, "bad-alone-" + f.name} {
			if err := s.bad.Set(upstream.Rule{Model: model, Script: f.script}); err != nil {
				t.Fatal(err)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "models.yaml")
	if err := os.WriteFile(path, []byte(models.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	s.gateway = launch(t, "standalone", []string{
		"PORT=" + port, "CONTROL_PORT=" + freePort(t), "STATE_DIR=" + t.TempDir(), "MODELS_CONFIG=" + path, "ROUTING_CONFIG=" + filepath.Join(root, "config", "routing.yaml"),
		"STREAM_FIRST_BYTE_TIMEOUT_SECONDS=0.3", "STREAM_IDLE_TIMEOUT_SECONDS=0.3", "UPSTREAM_COMPLETION_TIMEOUT_S=0.3", "LOG_LEVEL=error",
		// the breakers would take the faults away
		"CIRCUIT_FAILURE_THRESHOLD=1000", "CIRCUIT_MIN_AVAILABILITY=0",
	})
	s.url = "http://127.0.0.1:" + port
	serving(t, s.url+"/health/ready")
	return s
}

// outcome is what a client sees.
type outcome struct {
	status     int
	body       string
	generation string
	retryAfter string
}

func (s *suite) ask(model string, stream bool) outcome {
	body := fmt.Sprintf(`{"model":%q,"stream":%v,"messages":[{"role":"user","content":"echo:marker"}]}`, model, stream)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.key != "" {
		req.Header.Set("Authorization", "Bearer "+s.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("%s: %v", model, err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Errorf("%s, stream %v: the answer is cut after %q: %v", model, stream, text, err)
	}
	return outcome{resp.StatusCode, string(text), resp.Header.Get("X-Generation-Id"), resp.Header.Get("Retry-After")}
}

// complete reports whether an answer is whole, with nothing wrong in it.
func (o outcome) complete(stream bool) error {
	switch {
	case o.status != http.StatusOK:
		return fmt.Errorf("status %d: %s", o.status, o.body)
	case !stream && !strings.Contains(o.body, `"finish_reason":"stop"`), stream && !strings.HasSuffix(o.body, "data: [DONE]\n\n"):
		return fmt.Errorf("not complete: %s", o.body)
	case strings.Contains(o.body, `"error"`):
		return fmt.Errorf("an error in it: %s", o.body)
	case stream && (strings.Count(o.body, `"finish_reason":"stop"`) != 1 || strings.Count(o.body, `"usage":{`) != 1):
		return fmt.Errorf("not one end and one usage: %s", o.body)
	case stream && strings.Count(o.body, "marker") < 8:
		return fmt.Errorf("chunks are missing: %s", o.body)
	}
	return nil
}

// broken reports whether an answer is the error that it has to be: by its
// status, or inside a stream that has begun.
func (o outcome) broken(status int) error {
	if o.status != status {
		return fmt.Errorf("status %d, want %d: %s", o.status, status, o.body)
	}
	if strings.Contains(o.body, "sk-verysecret") {
		return fmt.Errorf("a secret leaks: %s", o.body)
	}
	if status != http.StatusOK {
		var envelope struct {
			Error struct {
				Code    int
				Message string
			}
		}
		if err := json.Unmarshal([]byte(o.body), &envelope); err != nil || envelope.Error.Code != status || envelope.Error.Message == "" {
			return fmt.Errorf("not an error object: %s", o.body)
		}
		return nil
	}
	if strings.Count(o.body, `data: {"error":{`) != 1 || !strings.HasSuffix(o.body, "data: [DONE]\n\n") || !strings.Contains(o.body, "marker") {
		return fmt.Errorf("not a stream with an error at its end: %s", o.body)
	}
	return nil
}

// attempts asks for the attempts of a generation.
func (s *suite) attempts(o outcome) (n int) {
	s.t.Helper()
	_, body, err := fetch(s.t.Context(), http.MethodGet, s.url+"/v1/generation?id="+o.generation, "")
	var g struct {
		Data struct {
			Responses []json.RawMessage `json:"provider_responses"`
		}
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &g)
	}
	if err != nil {
		s.t.Errorf("generation %s: %v: %s", o.generation, err, body)
	}
	return len(g.Data.Responses)
}

// warm earns the retry budget that the faults need.
func (s *suite) warm() {
	for range 300 {
		if err := s.ask("alone-healthy", false).complete(false); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestFaults has an upstream do everything that upstreams do. Beside a healthy
// endpoint the client gets its answer, as long as nothing of the bad one was
// sent; alone it gets a true error; and the upstream is asked just as often as
// the rules say.
func TestFaults(t *testing.T) {
	s := newSuite(t)
	s.warm()
	for _, f := range troubles() {
		for _, stream := range []bool{false, true} {
			s.check(f, stream)
		}
	}
	s.checkRefused()
}

func (s *suite) check(f trouble, stream bool) {
	s.t.Helper()
	fails := func(format string, args ...any) {
		s.t.Helper()
		s.t.Errorf("%s, stream %v: %s", f.name, stream, fmt.Sprintf(format, args...))
	}
	harmless := stream && f.harmlessStream || !stream && f.harmlessWhole
	want := f.whole
	if stream {
		want = f.streamed
	}
	before := s.bad.Counts().Of("bad-alone-" + f.name).Requests
	alone := s.ask("alone-"+f.name, stream)
	if harmless {
		if err := alone.complete(stream); err != nil {
			fails("alone: %v", err)
		}
	} else if err := alone.broken(want); err != nil {
		fails("alone: %v", err)
	}
	if n := s.bad.Counts().Of("bad-alone-"+f.name).Requests - before; n != 1 {
		fails("the upstream was asked %d times by one request", n)
	}
	if n := s.attempts(alone); n != 1 {
		fails("%d attempts in the usage event", n)
	}

	good := s.good.Counts().Of("good-" + f.name).Requests
	beside := s.ask(f.name, stream)
	elsewhere := !harmless && (!stream || !f.late)
	if stream && f.late && !harmless {
		if err := beside.broken(want); err != nil {
			fails("beside: %v", err)
		}
	} else if err := beside.complete(stream); err != nil {
		fails("beside: %v", err)
	}
	if n := s.good.Counts().Of("good-"+f.name).Requests - good; elsewhere != (n == 1) {
		fails("the healthy upstream was asked %d times", n)
	}
	if n := s.attempts(beside); elsewhere != (n == 2) {
		fails("%d attempts in the usage event", n)
	}
}

// checkRefused has the upstream gone altogether, with the connections that
// were kept alive.
func (s *suite) checkRefused() {
	s.t.Helper()
	if err := s.bad.SetMode(upstream.Refuse); err != nil {
		s.t.Fatal(err)
	}
	s.bad.Drop()
	for _, stream := range []bool{false, true} {
		if err := s.ask("refused", stream).complete(stream); err != nil {
			s.t.Errorf("refused, stream %v: %v", stream, err)
		}
		if err := s.ask("alone-refused", stream).broken(http.StatusBadGateway); err != nil {
			s.t.Errorf("refused, stream %v, alone: %v", stream, err)
		}
	}
	if err := s.bad.SetMode(upstream.Accept); err != nil {
		s.t.Fatal(err)
	}
	for _, stream := range []bool{false, true} {
		if err := s.ask("alone-refused", stream).complete(stream); err != nil {
			s.t.Errorf("back again, stream %v: %v", stream, err)
		}
	}
}

// TestFaultsLeaveNothingBehind sends thousands of requests into faults, with
// clients that leave, and looks at what the process holds afterwards.
func TestFaultsLeaveNothingBehind(t *testing.T) {
	s := newSuite(t)
	quick := []string{}
	for _, f := range troubles() {
		if !strings.HasPrefix(f.name, "stall") {
			quick = append(quick, f.name)
		}
	}
	round := func(n int) {
		var all sync.WaitGroup
		for worker := range 16 {
			all.Go(func() {
				for i := worker; i < n; i += 16 {
					s.ask(quick[i%len(quick)], i%2 == 0)
				}
			})
		}
		all.Wait()
	}
	round(1500)
	fds, memory := s.held()
	round(1500)
	eventually.Nil(t, 20*time.Second, "descriptors and memory come back", func() error {
		now, grown := s.held()
		if now > fds+8 {
			return fmt.Errorf("%d descriptors, %d before", now, fds)
		}
		if grown > memory+memory/2 {
			return fmt.Errorf("%d KiB, %d before", grown, memory)
		}
		return nil
	})
	_, body, err := fetch(t.Context(), http.MethodGet, s.url+"/health", "")
	if err != nil || !strings.Contains(body, `"in_flight":0`) || strings.Contains(body, "panicked") {
		t.Errorf("%s %v", body, err)
	}
}

// held is how many descriptors the gateway has open, and its memory in KiB.
func (s *suite) held() (fds, kib int) {
	s.t.Helper()
	proc := "/proc/" + strconv.Itoa(s.gateway.cmd.Process.Pid)
	list, err := os.ReadDir(proc + "/fd")
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := os.ReadFile(proc + "/status")
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		s.t.Fatal(err)
	}
	return len(list), kib
}
