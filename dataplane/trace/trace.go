// Package trace carries W3C trace context (https://www.w3.org/TR/trace-context/)
// from clients to upstreams.
package trace

import (
	"math/rand/v2"

	"github.com/hybridinference/gateway/adapters/codec"
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
type Context struct{ parent, state []byte }

// Parse reads the headers traceparent and tracestate of a client. What is not
// valid is no trace, as the standard asks for.
func Parse(parent, state []byte) Context {
	if !valid(parent) {
		return Context{}
	}
	if len(state) > maxState {
		state = nil
	}
	return Context{parent[:length], state}
}

// ID is the trace's id, 32 hexadecimal digits, nil without one.
func (c Context) ID() []byte {
	if c.parent == nil {
		return nil
	}
	return c.parent[traceAt : parentAt-1]
}

// Append appends the headers for an upstream, whose parent is a new span.
func (c Context) Append(headers []codec.Header) []codec.Header {
	if c.parent == nil {
		return headers
	}
	var child [length]byte
	copy(child[:], c.parent)
	copy(child[:2], "00")
	const digits = "0123456789abcdef"
	span := rand.Uint64() | 1 // no id is zero
	for i := parentAt; i < flagsAt-1; i++ {
		child[i] = digits[span&15]
		span >>= 4
	}
	headers = append(headers, codec.Header{Name: "traceparent", Value: string(child[:])})
	if len(c.state) > 0 {
		headers = append(headers, codec.Header{Name: "tracestate", Value: string(c.state)})
	}
	return headers
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
