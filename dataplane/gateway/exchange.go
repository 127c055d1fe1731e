package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/dispatch"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/relay"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// exchange is all the state of one request. It is recycled with its buffers;
// what it points into belongs to ctx and ends with it.
type exchange struct {
	g    *Gateway
	ctx  *fasthttp.RequestCtx
	snap *snapshot.Snapshot
	key  *snapshot.Key

	surface surface
	started time.Time
	id      string
	body    []byte // the request in the form of a chat, where it came in another
	req     chat.Request
	plan    route.Plan
	run     dispatch.Run
	cancel  upstream.Cancel
	watched bool
	view    relay.Options

	chunks relay.Chunks
	answer relay.Answer
	out    []byte
	begun  bool // the chunks' head is fixed
	ended  bool // the last chunk is in the buffer

	conn        net.Conn
	deadlineSet time.Time

	// of the accounting
	usage      wire.Usage
	total      relay.Total
	tokens     chat.Usage
	hasTokens  bool
	firstToken time.Time
	finish     chat.Finish
	native     []byte
	upstreamID []byte
	seen       int // bytes of text that were relayed
	settled    bool
	scratch    []byte
}

// begin takes an exchange for a request.
func (g *Gateway) begin(ctx *fasthttp.RequestCtx, s surface) *exchange {
	x, ok := g.exchanges.Get().(*exchange)
	if !ok {
		x = &exchange{g: g}
	}
	x.ctx, x.surface, x.snap, x.started = ctx, s, g.current.Load(), time.Now()
	x.id = newGenerationID(x.started)
	g.inFlight.Add(1)
	g.requests.Add(1)
	return x
}

// recycle ends the exchange and gives it back.
func (g *Gateway) recycle(x *exchange) {
	x.run.Close()
	if x.watched {
		g.gone.remove(&x.cancel)
	}
	x.cancel = upstream.Cancel{}
	x.ctx, x.snap, x.key, x.conn = nil, nil, nil, nil
	x.native, x.upstreamID = x.native[:0], x.upstreamID[:0]
	x.watched, x.begun, x.ended, x.settled, x.hasTokens = false, false, false, false, false
	x.view, x.finish, x.seen = relay.Options{}, chat.NotFinished, 0
	x.firstToken, x.deadlineSet = time.Time{}, time.Time{}
	x.usage, x.tokens = wire.Usage{Attempts: x.usage.Attempts[:0]}, chat.Usage{}
	x.req.Reset()
	x.answer.Reset()
	x.out, x.chunks.Buf, x.scratch, x.body = bounded(x.out), bounded(x.chunks.Buf), bounded(x.scratch), bounded(x.body)
	g.inFlight.Add(-1)
	g.exchanges.Put(x)
}

// bounded keeps a buffer for the next request unless it has grown too large.
func bounded(b []byte) []byte {
	const most = 256 << 10
	if cap(b) > most {
		return nil
	}
	return b[:0]
}

// model finds the model that was asked for.
func (x *exchange) model() (*snapshot.Model, *problem.Problem) {
	if x.req.Model == "" {
		if x.snap.Default == nil {
			return nil, problem.New(503, "provider_overloaded", "This node has no models yet: no release has reached it")
		}
		return x.allowed(x.snap.Default)
	}
	m := x.snap.Model([]byte(x.req.Model))
	if m == nil {
		if len(x.snap.Models) == 0 {
			return nil, problem.New(503, "provider_overloaded", "This node has no models yet: no release has reached it")
		}
		return nil, unknownModel(x.req.Model)
	}
	return x.allowed(m)
}

// allowed hides models above the key's role and refuses those it may not use.
func (x *exchange) allowed(m *snapshot.Model) (*snapshot.Model, *problem.Problem) {
	switch {
	case x.key.Role < m.Role:
		return nil, unknownModel(m.ID)
	case !x.key.May(m):
		return nil, problem.New(403, "permission_denied", "This API key may not use the model "+m.ID)
	case m.Type != "chat":
		return nil, problem.New(400, "invalid_request", m.ID+" is not a chat model")
	}
	return m, nil
}

func unknownModel(name string) *problem.Problem {
	return problem.New(400, "invalid_request", name+" is not a valid model ID")
}

// addFallbacks plans the further models of models[].
func (x *exchange) addFallbacks() *problem.Problem {
	for _, name := range modelList(x.req.Raw(chat.Models)) {
		if name == x.req.Model {
			continue
		}
		m := x.snap.Model([]byte(name))
		if m == nil {
			return unknownModel(name)
		}
		if m, p := x.allowed(m); p != nil {
			return p
		} else if m != nil {
			x.plan.Add(m, x.started)
		}
	}
	return nil
}

// wait blocks for the next events, as long as it takes.
func (x *exchange) wait() ([]chat.Event, error) { return x.next(x.g.opts.KeepAlive) }

// next waits for events. After the first short silence the client's socket is
// watched, so that its leaving breaks off the wait.
func (x *exchange) next(wait time.Duration) ([]chat.Event, error) {
	if x.watched || wait <= goneAfter {
		return x.run.Next(wait)
	}
	events, err := x.run.Next(goneAfter)
	if !errors.Is(err, upstream.ErrSilent) {
		return events, err
	}
	x.watched = true
	x.g.gone.add(&x.cancel, x.ctx.Conn())
	return x.run.Next(wait - goneAfter)
}

// head is what every chunk of this answer repeats.
func (x *exchange) head() relay.Head {
	h := relay.Head{ID: x.id, Created: x.started.Unix()}
	if c := x.run.Current(); c.Model != nil {
		h.Model, h.Provider = c.Model.ID, c.Endpoint.Provider
	}
	return h
}

func (x *exchange) provider() string { return x.head().Provider }

func (x *exchange) logFault(f *fault.Error) {
	if f.Kind == fault.Canceled {
		return
	}
	endpoint := ""
	if c := x.run.Current(); c.Endpoint != nil {
		endpoint = c.Endpoint.ID
	}
	x.g.opts.Log.LogAttrs(context.Background(), slog.LevelWarn, "request failed", //nolint:forbidigo // no context in fasthttp
		slog.String("request_id", x.id), slog.String("endpoint", endpoint), slog.String("kind", f.Kind.String()), slog.String("error", f.Error()))
}
