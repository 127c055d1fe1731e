package trace

import (
	"encoding/hex"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otel "go.opentelemetry.io/otel/trace"

	"github.com/hybridinference/gateway/shared/tracing"
)

// Spans are the spans of one request that is traced. They belong to its
// goroutine, and are sent at its end.
type Spans struct {
	tracing *tracing.Tracing
	server  tracing.Span
	calls   []Call
	id      string // of the server span, in hexadecimal
}

// Call is an attempt at an upstream.
type Call struct {
	ID         otel.SpanID
	Start, End time.Time
	// Failed is the kind of fault, "" for success.
	Failed string
	Name   string
	// Attributes say what was called and what came of it.
	Attributes []attribute.KeyValue
}

// Memory is where a request's own traceparent is.
type Memory [length]byte

// Begin takes up the trace of a client, or begins one. t is nil where there is no
// tracing: then the client's is handed on and nothing else happens. m is used as
// long as the Context.
func Begin(t *tracing.Tracing, m *Memory, parent, state []byte) Context {
	c := Parse(parent, state)
	if t == nil {
		return c
	}
	from := c.remote()
	id := from.TraceID()
	if !from.IsValid() {
		id = tracing.NewTraceID()
	}
	sampled := t.Sampled(from, id)
	own := tracing.NewSpanID()
	copy(m[:], "00-")
	hex.Encode(m[traceAt:], id[:])
	m[parentAt-1] = '-'
	hex.Encode(m[parentAt:], own[:])
	copy(m[flagsAt-1:], "-00")
	c.parent = m[:]
	if sampled {
		m[length-1] = '1'
		c.spans = &Spans{tracing: t, server: tracing.Span{Kind: otel.SpanKindServer, Trace: id, ID: own, Parent: from.SpanID(), Remote: true}, id: own.String()}
		c.spans.server.State, _ = otel.ParseTraceState(string(c.state)) // one that is not valid is none
	}
	return c
}

// remote is the client's span.
func (c Context) remote() otel.SpanContext {
	if c.parent == nil {
		return otel.SpanContext{}
	}
	var config otel.SpanContextConfig
	var flags [1]byte
	// Parse has checked that these are hexadecimal
	_, _ = hex.Decode(config.TraceID[:], c.parent[traceAt:parentAt-1])
	_, _ = hex.Decode(config.SpanID[:], c.parent[parentAt:flagsAt-1])
	_, _ = hex.Decode(flags[:], c.parent[flagsAt:length])
	config.TraceFlags, config.Remote = otel.TraceFlags(flags[0]), true
	return otel.NewSpanContext(config)
}

// ID is the id of the request's span.
func (s *Spans) ID() string { return s.id }

// Called notes an attempt that is over.
func (s *Spans) Called(c Call) { s.calls = append(s.calls, c) }

// Calls are the attempts so far, to be completed until Send.
func (s *Spans) Calls() []Call { return s.calls }

// Send sends the spans of a request that is over. failed is the kind of its
// fault, "" for success.
func (s *Spans) Send(name string, start, end time.Time, failed string, attributes []attribute.KeyValue) {
	for i := range s.calls {
		c := &s.calls[i]
		s.tracing.Send(&tracing.Span{
			Name: c.Name, Kind: otel.SpanKindClient, Trace: s.server.Trace, ID: c.ID, Parent: s.server.ID, State: s.server.State,
			Start: c.Start, End: c.End, Failed: c.Failed, Attributes: c.Attributes,
		})
	}
	s.server.Name, s.server.Start, s.server.End, s.server.Failed, s.server.Attributes = name, start, end, failed, attributes
	s.tracing.Send(&s.server)
}
