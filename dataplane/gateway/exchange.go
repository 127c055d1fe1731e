package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/embed"
	"github.com/hybridinference/gateway/dataplane/dispatch"
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
	held    int64 // bytes of the body that count as held
	started time.Time
	id      string
	body    []byte // the request in the form of a chat, where it came in another
	req     chat.Request
	// preferences is the raw provider object, nil without one.
	preferences []byte
	targets     []route.Target // the models that may answer
	wish        route.Constraints
	plan        route.Plan
	run         dispatch.Run
	cancel      upstream.Cancel
	watched     bool
	view        relay.Options

	embedding embed.Request
	vectors   embed.Answer

	chunks   relay.Chunks
	messages relay.Messages
	w        writer // one of the two above
	answer   relay.Answer
	out      []byte
	begun    bool // the chunks' head is fixed
	ended    bool // the last chunk is in the buffer

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
	line       []byte // the usage event as it is sent
	content    []byte // of the answer, as inner JSON, if it is kept
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
	x.held = int64(len(ctx.Request.Body()))
	g.held.Add(x.held)
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
	x.native, x.upstreamID, x.content = x.native[:0], x.upstreamID[:0], bounded(x.content)
	x.watched, x.begun, x.ended, x.settled, x.hasTokens = false, false, false, false, false
	x.w = nil
	x.view, x.finish, x.seen = relay.Options{}, chat.NotFinished, 0
	x.firstToken, x.deadlineSet = time.Time{}, time.Time{}
	x.usage, x.tokens = wire.Usage{Attempts: x.usage.Attempts[:0]}, chat.Usage{}
	x.req.Reset()
	x.plan.Reset()
	clear(x.targets)
	x.targets, x.wish, x.preferences = x.targets[:0], route.Constraints{}, nil
	x.answer.Reset()
	x.out, x.chunks.Buf, x.scratch, x.body, x.line = bounded(x.out), bounded(x.chunks.Buf), bounded(x.scratch), bounded(x.body), bounded(x.line)
	*x.messages.Buffer() = bounded(*x.messages.Buffer())
	g.leave(x)
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

// start sends the request on its way along the plan.
func (x *exchange) start() {
	x.run.Start(dispatch.Request{Task: x, Plan: x.plan.Candidates(), Cancel: &x.cancel, Caller: route.Hash(x.key.ID), Policy: x.g.policy})
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
