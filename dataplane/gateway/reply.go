package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/wire"
)

// reply is what the client gets: an answer in one piece, a stream, or a refusal.
type reply struct {
	responder  *responder
	opts       *Options
	lang       *api.Language
	translator api.Translator
	caller     *caller
	attempt    *attempt
	account    *account
	copies     *copies

	out    []byte     // of an answer in one piece
	stream api.Stream // nil for an answer in one piece
	begun  bool       // the answer has begun; the stream's head is fixed
	ended  bool       // the last event is in the buffer

	conn        net.Conn
	chunks      *connection // that takes the chunks of a stream after its first, nil before
	deadlineSet time.Time
	written     time.Time // when the client last got something, or asked

	fresh   bool      // the buffer has content
	content time.Time // when content was last written, the zero time if none was
	gaps    metrics.Gaps
}

// reset prepares for another request and keeps the memory.
func (r *reply) reset() {
	*r = reply{
		responder: r.responder, opts: r.opts, lang: r.lang, translator: r.translator, caller: r.caller, attempt: r.attempt, account: r.account, copies: r.copies,
		out: api.Bounded(r.out),
	}
}

// unary waits for the complete answer and sends it in one piece.
func (r *reply) unary() {
	for done := false; !done; {
		events, err := r.attempt.run.Next(r.opts.KeepAlive)
		if errors.Is(err, upstream.ErrSilent) {
			continue // nothing can be sent before the answer is known
		}
		if err != nil {
			r.fail(fault.From(err))
			return
		}
		if !r.begun {
			r.begun = true
			r.copies.draw()
		}
		for i := range events {
			r.account.note(&events[i])
			r.translator.Gather(&events[i])
			done = done || events[i].Done
		}
	}
	total := r.account.settle(wire.EndComplete, 200, nil)
	contentType := "application/json"
	if typed, ok := r.translator.(interface{ ContentType() string }); ok {
		contentType = typed.ContentType()
	}
	r.setHeaders(200, contentType)
	r.out = r.translator.Append(r.out[:0], r.attempt.head(r.account.id), total)
	r.caller.ctx.Response.SetBody(r.out)
	r.copies.send()
}

// fail answers with a fault, before anything was sent.
func (r *reply) fail(f *fault.Error) {
	p := r.attempt.problem(f)
	r.account.settle(endOf(f), p.Status, f)
	r.logFault(f)
	r.refuse(p)
}

// reject answers a request that passed authentication and no endpoint saw.
func (r *reply) reject(p *problem.Problem) {
	r.account.usage.Error = p.Message
	r.account.settle(wire.EndRejected, p.Status, nil)
	r.refuse(r.attempt.explained(p))
}

// overLimit rejects a request that a limit has refused. A key that keeps asking
// must not fill the request log: in each minute only the first refusals have a
// usage event.
func (r *reply) overLimit(p *problem.Problem) {
	if !r.caller.key.Spent.Refusals.Note(r.caller.started) {
		r.account.settled = true
	}
	r.reject(p)
}

func (r *reply) refuse(p *problem.Problem) {
	r.responder.refuseIn(r.caller.ctx, r.lang, p)
	r.caller.ctx.Response.Header.Set("X-Generation-Id", r.account.id)
}

// setHeaders sets the headers of a generation.
func (r *reply) setHeaders(status int, contentType string) {
	r.responder.setCommon(r.caller.ctx, status, contentType)
	h := &r.caller.ctx.Response.Header
	h.Set("X-Generation-Id", r.account.id)
	if names := r.attempt.left(); len(names) > 0 {
		h.Set("X-Gateway-Dropped-Params", strings.Join(names, ", "))
	}
}

func (r *reply) logFault(f *fault.Error) {
	if f.Kind == fault.Canceled {
		return
	}
	endpoint := ""
	if c := r.attempt.run.Current(); c.Endpoint != nil {
		endpoint = c.Endpoint.ID
	}
	r.opts.Log.LogAttrs(context.Background(), slog.LevelWarn, "request failed", //nolint:forbidigo // no context in fasthttp
		slog.String("request_id", r.account.id), slog.String("endpoint", endpoint), slog.String("kind", f.Kind.String()), slog.String("error", f.Error()))
}

func endOf(f *fault.Error) string {
	switch f.Kind {
	case fault.Canceled:
		return wire.EndClientGone
	case fault.Timeout:
		return wire.EndTimeout
	case fault.InvalidRequest, fault.ContextLength, fault.ContentFilter:
		return wire.EndRejected
	default:
		return wire.EndUpstreamError
	}
}
