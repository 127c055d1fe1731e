package upstream

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/hybridinference/gateway/shared/fault"
)

// unsent is a fault of a request that surely never reached the upstream.
func unsent(doing string, err error) error {
	f := broken(doing, err)
	f.Unsent = true
	return f
}

// broken classifies a failure of transport. Its message is safe for clients,
// its cause is for the log.
func broken(doing string, err error) *fault.Error {
	f := &fault.Error{Kind: fault.Unavailable, Message: "The upstream closed the connection", Err: err}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		f.Kind, f.Message = fault.Canceled, "The client disconnected"
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		f.Kind, f.Message = fault.Timeout, "The upstream could not be reached in time"
	case errors.As(err, &dns):
		f.Message = "The upstream's host name cannot be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Message = "The upstream refused the connection"
	case errors.Is(err, errFraming), errors.Is(err, errCut):
		f.Message = "The upstream's answer was cut short"
	}
	f.Err = &stepError{doing, err}
	return f
}

// stepError says at which step a transport failed.
type stepError struct {
	doing string
	err   error
}

func (e *stepError) Error() string { return e.doing + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }
