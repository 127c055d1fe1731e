package adminapi

import (
	"fmt"
	"net/http"
)

// InputError is a request that does not have the form of its type.
type InputError struct {
	// Status is the answer's: 400, 404 for a path, 413 for a body that is too large.
	Status  int
	Message string
}

// Error is the message.
func (e *InputError) Error() string { return e.Message }

func invalid(format string, args ...any) error {
	return &InputError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}
