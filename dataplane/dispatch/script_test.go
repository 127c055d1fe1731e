package dispatch_test

import (
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// script is how a scripted endpoint answers one request.
type script struct {
	refused *fault.Error  // by Send
	slow    time.Duration // until the status comes
	status  int           // 0 is 200
	header  map[string]string
	pieces  []piece
	broken  error // after the pieces, in place of io.EOF
	// panics lets Read panic after the pieces.
	panics bool
}

// piece is a part of a body that arrives so long after the one before; without
// text it is only time that passes.
type piece struct {
	after time.Duration
	text  string
}

// host is the sender of one endpoint. It answers with its scripts in turn, with
// the last one for ever.
type host struct {
	id      string
	scripts []script
	mu      *sync.Mutex // of what follows, and of the log
	log     *[]visit
	asked   int
	open    int
}

// visit is a request that reached a host.
type visit struct {
	id  string
	key string
	at  time.Time
}

func (h *host) Send(_ *codec.Call, auth codec.Header, cancel *upstream.Cancel) (upstream.Answer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*h.log = append(*h.log, visit{h.id, auth.Value, time.Now()})
	s := h.scripts[min(h.asked, len(h.scripts)-1)]
	h.asked++
	if s.refused != nil {
		f := *s.refused
		return nil, &f
	}
	h.open++
	return &scripted{host: h, script: s, cancel: cancel, last: time.Now()}, nil
}

// scripted is an answer whose pieces come by the clock.
type scripted struct {
	script
	host   *host
	cancel *upstream.Cancel
	last   time.Time // of the piece before
}

func (a *scripted) Head(wait time.Duration) (int, error) {
	if err := a.sleep(a.slow, wait); err != nil {
		return 0, err
	}
	if a.status == 0 {
		return 200, nil
	}
	return a.status, nil
}

// sleep waits until so long after the piece before, as long as wait allows.
func (a *scripted) sleep(after, wait time.Duration) error {
	left := time.Until(a.last.Add(after))
	if left <= 0 {
		return nil
	}
	if !a.cancel.Sleep(min(left, wait)) {
		return fault.New(fault.Canceled, "The client disconnected")
	}
	if left > wait {
		return upstream.ErrSilent
	}
	return nil
}

func (a *scripted) Header(name string) string { return a.header[name] }

func (a *scripted) Read(p []byte, wait time.Duration) (int, error) {
	if len(a.pieces) == 0 {
		switch {
		case a.panics:
			panic("BUG: for the test")
		case a.broken != nil:
			return 0, a.broken
		}
		return 0, io.EOF
	}
	next := a.pieces[0]
	if err := a.sleep(next.after, wait); err != nil {
		return 0, err
	}
	a.last = time.Now()
	a.pieces = a.pieces[1:]
	return copy(p, next.text), nil
}

func (a *scripted) Close() {
	a.host.mu.Lock()
	defer a.host.mu.Unlock()
	a.host.open--
}

// task is a chat.
type task struct{ req chat.Request }

func (q *task) Encode(a codec.Adapter, call *codec.Call) error { return a.Encode(&q.req, call) }
func (q *task) Decoder(a codec.Adapter) codec.Decoder          { return codec.DecoderFor(a, &q.req) }
func (q *task) Streamed() bool                                 { return q.req.Stream }

// stage is a model of scripted endpoints and a run over them.
type stage struct {
	t      testing.TB
	model  *snapshot.Model
	hosts  []*host
	mu     sync.Mutex // of visits
	visits []visit
	cancel *upstream.Cancel
	run    dispatch.Run
	task   *task
	begun  time.Time

	clientRetries bool
}

// endpoint describes a scripted endpoint.
type endpoint struct {
	id       string
	keys     []string
	timeouts upstream.Timeouts
	limit    int
	scripts  []script
}

// newStage builds the endpoints as a node does, but for their senders.
func newStage(t testing.TB, endpoints ...endpoint) *stage {
	t.Helper()
	b := snapshot.Builder{
		Senders: upstream.NewSenders(time.Second), Secret: func(name string) (string, bool) { return "secret-" + name, true },
		Breaker: upstream.DefaultBreaker(), Log: slog.New(slog.DiscardHandler),
	}
	m := wire.Model{ID: "m", Type: "chat", Pricing: wire.Pricing{Prompt: "0", Completion: "0"}}
	for _, e := range endpoints {
		m.Endpoints = append(m.Endpoints, wire.Endpoint{
			ID: "m:" + e.id, Kind: "vllm", Provider: e.id, Weight: 1, BaseURL: "http://127.0.0.1:1", UpstreamModel: "up",
			Secrets: e.keys, MaxConcurrency: e.limit, Pricing: wire.Pricing{Prompt: "0", Completion: "0"},
		})
	}
	snap, err := b.Build(&wire.Release{Epoch: 1, Number: 1, Snapshot: wire.Snapshot{Models: []wire.Model{m}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, model: snap.Models[0]}
	for i, e := range endpoints {
		h := &host{id: e.id, scripts: e.scripts, mu: &s.mu, log: &s.visits}
		s.hosts = append(s.hosts, h)
		s.model.Endpoints[i].Sender, s.model.Endpoints[i].Timeouts = h, e.timeouts
	}
	return s
}

const (
	unaryBody    = `{"model":"m","messages":[{"role":"user","content":"Ping"}]}`
	streamedBody = `{"model":"m","stream":true,"messages":[{"role":"user","content":"Ping"}]}`
)

// start begins a request over all endpoints in their order.
func (s *stage) start(body string, policy dispatch.Policy) {
	s.t.Helper()
	s.task, s.cancel, s.begun, s.visits = &task{}, &upstream.Cancel{}, time.Now(), nil
	if err := s.task.req.Parse([]byte(body)); err != nil {
		s.t.Fatal(err)
	}
	var plan []route.Candidate
	for _, e := range s.model.Endpoints {
		plan = append(plan, route.Candidate{Model: s.model, Endpoint: e})
	}
	s.run.Start(dispatch.Request{Task: s.task, Plan: plan, Cancel: s.cancel, ClientRetries: s.clientRetries, Policy: policy})
}

// finish takes events until the end and returns the text of the answer. After
// each wait in vain it goes on, as a caller does that writes a keep-alive.
func (s *stage) finish() (text string, err error) {
	for {
		events, err := s.run.Next(10 * time.Second)
		if errors.Is(err, upstream.ErrSilent) {
			continue
		}
		if err != nil {
			return text, err
		}
		for i := range events {
			text += rawjson.Text(events[i].Content)
			if events[i].Done {
				return text, nil
			}
		}
	}
}

// idle fails the test if a place or an answer is still held.
func (s *stage) idle() {
	s.t.Helper()
	for i, e := range s.model.Endpoints {
		if n := e.State.InFlight.Load(); n != 0 || s.hosts[i].open != 0 {
			s.t.Errorf("%s: %d places and %d answers are still held", e.ID, n, s.hosts[i].open)
		}
	}
}

// The answers that endpoints give.
const (
	hello = `{"choices":[{"index":0,"message":{"content":"hello"},"finish_reason":"stop"}]}`
	delta = `data: {"choices":[{"index":0,"delta":{"content":"hel"}}]}` + "\n\n"
	more  = `data: {"choices":[{"index":0,"delta":{"content":"lo"}}]}` + "\n\n"
	stop  = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"
)

func says(body string) script { return script{pieces: []piece{{0, body}}} }

func refuses(status int, header ...string) script {
	s := script{status: status, header: map[string]string{}}
	for i := 0; i < len(header); i += 2 {
		s.header[header[i]] = header[i+1]
	}
	return s
}

func unsent() script {
	return script{refused: &fault.Error{Kind: fault.Unavailable, Message: "The upstream refused the connection", Unsent: true}}
}
