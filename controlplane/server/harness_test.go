package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/app"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/controlplane/server"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

const models = `
models:
  - id: glm
    name: GLM
    aliases: [glm-latest]
    pricing: {prompt: "0.6"}
    route:
      - {id: local, kind: vllm, weight: 0.7, base_url: "http://10.0.0.5:8000"}
      - {id: far, kind: openai_compat, weight: 0.3, base_url: "https://llm.example.com/v1"}
  - {id: demo, provider: demo}
`

const token = "a-long-token"

// both runs a test on each database.
func both(t *testing.T, check func(t *testing.T, db *requestlogtest.Database)) {
	t.Run("postgres", func(t *testing.T) { check(t, requestlogtest.Postgres(t)) })
	t.Run("sqlite", func(t *testing.T) { check(t, requestlogtest.SQLite(t)) })
}

// plane is a running control plane and its NATS.
type plane struct {
	t     *testing.T
	dir   string
	nats  *bustest.Server
	store requestlog.Store
	url   string
	token string
	// apiKey goes into X-API-Key.
	apiKey string
	// contract judges what is said, once it is known.
	contract contract
}

// start runs a control plane until the test ends.
func start(t *testing.T, db *requestlogtest.Database, change func(*app.Options)) *plane {
	t.Helper()
	p := &plane{t: t, dir: t.TempDir(), nats: bustest.Start(t), token: token}
	p.write("models.yaml", models)
	p.write("routing.yaml", "")
	p.store = db.Open(t)
	o := app.Options{
		Addr: "127.0.0.1:0", NATS: bus.Options{URL: p.nats.ClientURL()}, State: db.Config, LogStore: p.store, Erasers: []server.Eraser{p.store}, Token: secret.New(token), KeySecret: secret.New("pepper"),
		Files:   publish.Files{Models: filepath.Join(p.dir, "models.yaml"), Routing: filepath.Join(p.dir, "routing.yaml"), Env: func(string) (string, bool) { return "", false }},
		Version: "v-test", Log: discard(),
	}
	if change != nil {
		change(&o)
	}
	a, err := app.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	p.url = "http://" + a.Addr()
	t.Cleanup(runApp(t, a))
	select {
	case <-a.Ready():
	case <-time.After(15 * time.Second):
		t.Fatal("no release after 15 s")
	}
	if o.Open && o.Token.Empty() {
		p.token = ""
	}
	_, document, _ := p.raw("GET", "/admin/openapi.json", "", nil)
	p.contract.learn(t, []byte(document))
	return p
}

func (p *plane) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// raw sends a request and returns the answer's status and body.
func (p *plane) raw(method, path, body string, header map[string]string) (int, string, http.Header) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	if p.apiKey != "" {
		req.Header.Set("X-API-Key", p.apiKey)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	if host := header["Host"]; host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		p.t.Errorf("%s %s: content type %q", method, path, got)
	}
	if p.contract.compiler != nil {
		p.contract.judge(p.t, method, path, body, resp.StatusCode, string(text))
	}
	return resp.StatusCode, string(text), resp.Header
}

// call expects a status and decodes the answer.
func (p *plane) call(method, path, body string, status int, into any) {
	p.t.Helper()
	got, text, _ := p.raw(method, path, body, nil)
	if got != status {
		p.t.Fatalf("%s %s %s: %d %s", method, path, body, got, text)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			p.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

// refused expects the error envelope with a text in its message.
func (p *plane) refused(method, path, body string, status int, want string) map[string]any {
	p.t.Helper()
	got, text, _ := p.raw(method, path, body, nil)
	var answer struct {
		Error struct {
			Code     int            `json:"code"`
			Message  string         `json:"message"`
			Metadata map[string]any `json:"metadata"`
		} `json:"error"`
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&answer); err != nil || got != status || answer.Error.Code != status || !strings.Contains(answer.Error.Message, want) {
		p.t.Errorf("%s %s %s: %d %s (%v), want %d with %q", method, path, body, got, text, err, status, want)
	}
	return answer.Error.Metadata
}

// node behaves on NATS as a data-plane node does: it fetches what is announced
// and says what it made of it.
type node struct {
	t      *testing.T
	nc     *nats.Conn
	status wire.NodeStatus
	// reject is why it takes no release.
	reject string
}

func (p *plane) node(id, reject string) {
	p.t.Helper()
	n := &node{t: p.t, nc: p.nats.Connect(id), reject: reject}
	n.status = wire.NodeStatus{Node: id, Instance: "i1", Version: "v1", State: wire.StateNone, Source: wire.SourceNATS}
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan struct{})
	beats := make(chan *nats.Msg, 16)
	if _, err := n.nc.ChanSubscribe(wire.BeatSubject, beats); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-beats:
				n.follow(ctx, m)
			}
		}
	}()
	p.t.Cleanup(func() { cancel(); <-done })
}

func (n *node) follow(ctx context.Context, m *nats.Msg) {
	b, err := wire.DecodeBeat(m.Data)
	if err != nil {
		n.t.Error(err)
		return
	}
	if b.Release > n.status.Offered {
		n.take(ctx, wire.ReleaseKey, func(body []byte) error {
			r, err := wire.DecodeRelease(body)
			if err != nil {
				return err
			}
			n.status.Offered = r.Number
			if n.reject != "" && r.Number > 1 {
				n.status.State, n.status.Reason = wire.StateRejected, n.reject
				return nil
			}
			n.status.State, n.status.Release, n.status.Epoch = wire.StateApplied, r.Number, r.Epoch
			return nil
		})
	}
	if b.Keys > n.status.Keys {
		n.take(ctx, wire.KeyTableKey, func(body []byte) error {
			k, err := wire.DecodeKeyTable(body)
			if err == nil {
				n.status.Keys = k.Version
			}
			return err
		})
	}
	msg, err := n.status.Encode()
	if err != nil {
		n.t.Error(err)
		return
	}
	_ = n.nc.Publish(wire.NodeStatusPrefix+n.status.Node, msg) // fails while the server is away
}

func (n *node) take(ctx context.Context, key string, use func([]byte) error) {
	doc, err := bus.Fetch(ctx, n.nc, key)
	if err != nil {
		return // the next beat tells again
	}
	body, err := bus.Open(key, doc)
	if err == nil {
		err = use(body)
	}
	if err != nil {
		n.t.Error(err)
	}
}

// joined waits until n nodes serve a release.
func (p *plane) joined(n int) {
	p.t.Helper()
	eventually.True(p.t, "the nodes have joined", func() bool {
		var nodes []struct {
			Release uint64 `json:"release"`
		}
		p.call("GET", "/admin/nodes", "", 200, &nodes)
		ready := 0
		for _, one := range nodes {
			if one.Release > 0 {
				ready++
			}
		}
		return ready == n
	})
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// runApp runs a daemon until the returned function is called.
func runApp(t *testing.T, a *app.App) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the daemon ended with %v", err)
		}
	}
}
