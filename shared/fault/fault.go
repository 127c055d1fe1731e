// Package fault classifies what can go wrong with a request. Adapters
// classify, dispatch decides by the class whether to try again, problem turns
// it into the client's status and body; nothing else reads error texts.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind is the closed set of classes. It says who is to blame and what helps.
type Kind uint8

// The kinds. The comment says what an upstream shows.
const (
	Internal       Kind = iota // our own mistake
	InvalidRequest             // 400, 413, 422: the same request fails everywhere
	ContextLength              // 400: too long for this model
	ContentFilter              // refused for its content
	NotFound                   // 404: the endpoint does not know the model
	Authentication             // 401: the endpoint's key is wrong
	Permission                 // 403
	Payment                    // 402, exhausted quota: not before someone pays
	RateLimit                  // 429
	Overloaded                 // 503, 529
	Unavailable                // 500, 502, connection refused or cut, answer unreadable
	Timeout                    // 408, 504, silence
	Canceled                   // the client left
)

// String returns the name that logs, metrics and usage events carry.
func (k Kind) String() string {
	names := [...]string{
		"internal", "invalid_request", "context_length", "content_filter", "not_found", "authentication", "permission",
		"payment", "rate_limit", "overloaded", "unavailable", "timeout", "canceled",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Failover reports whether another endpoint may succeed where this one failed.
func (k Kind) Failover() bool {
	switch k {
	case InvalidRequest, ContextLength, ContentFilter, Canceled, Internal:
		return false
	default:
		return true
	}
}

// Unhealthy reports whether the fault speaks against the endpoint's health:
// what a circuit breaker counts.
func (k Kind) Unhealthy() bool {
	switch k {
	case RateLimit, Overloaded, Unavailable, Timeout:
		return true
	default:
		return false
	}
}

// Error is a classified fault. The zero values of all fields but Kind and
// Message mean "not known".
type Error struct {
	Kind Kind
	// Message is safe to show to the client: no key, no host, no secret.
	Message string
	// Status is the upstream's HTTP status, 0 if no answer came.
	Status int
	// Code is the provider's own code, for operators and metadata.provider_code.
	Code string
	// Raw is the beginning of the provider's error body with secrets removed,
	// for metadata.raw.
	Raw string
	// RetryAfter is how long the upstream asked to wait.
	RetryAfter time.Duration
	// Unsent means that the request surely never reached the upstream.
	Unsent bool
	// Connection is the number of the connection that died, where it was shared
	// with other requests: their faults have one cause.
	Connection uint64
	// Err is the cause, for the log only.
	Err error
}

// New returns a fault with a formatted message.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

func (e *Error) Error() string {
	msg := e.Kind.String() + ": " + e.Message
	if e.Status != 0 {
		msg += fmt.Sprintf(" (upstream status %d)", e.Status)
	}
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	return msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// From returns err as a fault: itself if it is one, else an Internal fault around it.
func From(err error) *Error {
	if f, ok := errors.AsType[*Error](err); ok {
		return f
	}
	return &Error{Kind: Internal, Message: "Internal error", Err: err}
}

// KindOf returns the class of err, Internal for anything unclassified.
func KindOf(err error) Kind { return From(err).Kind }
