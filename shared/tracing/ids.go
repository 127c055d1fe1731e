package tracing

import (
	"context"
	"encoding/binary"
	"math/rand/v2"

	"go.opentelemetry.io/otel/trace"
)

// chosen is a generator of ids that gives a span the ids that were chosen for
// it: upstreams have been told them before there was a span.
type chosen struct{}

type chosenKey struct{}

type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

// NewIDs implements sdk.IDGenerator.
func (chosen) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	own, _ := ctx.Value(chosenKey{}).(ids)
	return own.trace, own.orRandom()
}

// NewSpanID implements sdk.IDGenerator.
func (chosen) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	own, _ := ctx.Value(chosenKey{}).(ids)
	return own.orRandom()
}

func (i ids) orRandom() trace.SpanID {
	if i.span.IsValid() {
		return i.span
	}
	return NewSpanID()
}

// NewTraceID returns the id of a new trace.
func NewTraceID() (id trace.TraceID) {
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64()|1) // no id is zero
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	return id
}

// NewSpanID returns the id of a new span.
func NewSpanID() (id trace.SpanID) {
	binary.NativeEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
