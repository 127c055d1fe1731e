// Package trace carries W3C trace context (https://www.w3.org/TR/trace-context/)
// from clients to upstreams, and makes the spans of requests that are traced.
package trace

import (
	"encoding/hex"

	otel "go.opentelemetry.io/otel/trace"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/tracing"
)

const (
	// A traceparent is version-trace-parent-flags, 00-<32 hex>-<16 hex>-<2 hex>.
	traceAt, parentAt, flagsAt = 3, 36, 53
	length                     = 55
	// maxState bounds a tracestate, which is dropped when it is longer.
	maxState = 512
)

// Context is the trace that a request belongs to. The zero value is none. It is
// valid as long as the request's headers.
type Context struct {
	// parent is the traceparent that upstreams get a child of: the client's, or
	// the request's own span where there is tracing.
	parent, state []byte
	spans         *Spans // nil for a request that is not traced
}

// Parse reads the headers traceparent and tracestate of a client. What is not
// valid is no trace, as the standard asks for.
func Parse(parent, state []byte) Context {
	if !valid(parent) {
		return Context{}
	}
	if len(state) > maxState {
		state = nil
	}
	return Context{parent: parent[:length], state: state}
}

// ID is the trace's id, 32 hexadecimal digits, nil without one.
func (c Context) ID() []byte {
	if c.parent == nil {
		return nil
	}
	return c.parent[traceAt : parentAt-1]
}

// Spans are those of the request, nil if it is not traced.
func (c Context) Spans() *Spans { return c.spans }

// Append appends the headers for an upstream, whose parent is a new span.
func (c Context) Append(headers []codec.Header, span otel.SpanID) []codec.Header {
	if c.parent == nil {
		return headers
	}
	var child [length]byte
	copy(child[:], c.parent)
	copy(child[:2], "00")
	hex.Encode(child[parentAt:], span[:])
	headers = append(headers, codec.Header{Name: "traceparent", Value: string(child[:])})
	if len(c.state) > 0 {
		headers = append(headers, codec.Header{Name: "tracestate", Value: string(c.state)})
	}
	return headers
}

// NewSpan returns the id of a span for an attempt, the zero value without a trace.
func (c Context) NewSpan() otel.SpanID {
	if c.parent == nil {
		return otel.SpanID{}
	}
	return tracing.NewSpanID()
}

// valid reports whether a traceparent can be understood. Later versions may be longer.
func valid(p []byte) bool {
	if len(p) < length || p[2] != '-' || p[parentAt-1] != '-' || p[flagsAt-1] != '-' {
		return false
	}
	version := string(p[:2])
	if version == "ff" || version == "00" && len(p) > length || len(p) > length && p[length] != '-' {
		return false
	}
	return isHex(p[:2], false) && isHex(p[traceAt:parentAt-1], true) && isHex(p[parentAt:flagsAt-1], true) && isHex(p[flagsAt:length], false)
}

// isHex reports whether b is hexadecimal in lower case, and if notZero more than zeros.
func isHex(b []byte, notZero bool) bool {
	for _, ch := range b {
		switch {
		case ch == '0':
		case ch >= '1' && ch <= '9', ch >= 'a' && ch <= 'f':
			notZero = false
		default:
			return false
		}
	}
	return !notZero
}
