// Package upstream moves the bytes of calls and answers: connections, waiting,
// cancelling, and what is known of an endpoint's health. It classifies
// failures of transport and leaves those of content to the adapters.
package upstream

import (
	"errors"
	"time"

	"github.com/hybridinference/gateway/adapters/codec"
)

// ErrSilent means that nothing arrived within the time that the caller was
// willing to wait. The answer is still good: call again to wait on.
var ErrSilent = errors.New("nothing arrived yet")

// Sender opens exchanges with one host. An exchange ends with its Close.
type Sender interface {
	// Send writes the request and returns without waiting for the answer. The
	// error is a *fault.Error. The call's bytes must stay until Close.
	Send(call *codec.Call, auth codec.Header, cancel *Cancel) (Answer, error)
}

// Answer is the upstream's side of one exchange. It is used by one goroutine.
type Answer interface {
	// Head waits for the status. ErrSilent after wait, else a *fault.Error.
	Head(wait time.Duration) (status int, err error)
	// Header returns a header of the answer, "" if there is none. Only after Head.
	Header(name string) string
	// Read waits for bytes of the body like Head; io.EOF at a proper end. A body
	// that was cut short is a *fault.Error.
	Read(p []byte, wait time.Duration) (int, error)
	// Close ends the exchange. It keeps the connection for the next one where
	// that is safe.
	Close()
}

// Timeouts are the limits of one exchange; 0 means none.
type Timeouts struct {
	// FirstByte is the longest wait for a stream's first event.
	FirstByte time.Duration
	// Idle is the longest silence between two events of a stream.
	Idle time.Duration
	// Total bounds a unary answer.
	Total time.Duration
}
