package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/publish"
)

// problem is an error with the answer that it gives.
type problem struct {
	status   int
	message  string
	metadata map[string]any
	// retryAfter tells in seconds when to ask again, 0 for never. With a 503 it
	// means that surely nothing was done.
	retryAfter int
}

func (p *problem) Error() string { return p.message }

func problemf(status int, format string, args ...any) *problem {
	return &problem{status: status, message: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *problem {
	return problemf(http.StatusBadRequest, format, args...)
}

func (p *problem) envelope() any {
	return adminapi.Error{Error: adminapi.ErrorDetail{Code: p.status, Message: p.message, Metadata: p.metadata}}
}

// toProblem finds the answer to an error. What is none of the known ones comes
// from the database, which may well answer the next time.
func toProblem(err error) *problem {
	var p *problem
	var input *adminapi.InputError
	var broken config.Problems
	var conflict *controlstate.ConflictError
	var superseded *publish.SupersededError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &input):
		return problemf(input.Status, "%s", input)
	case errors.As(err, &broken):
		return brokenFiles(broken)
	case errors.As(err, &conflict):
		p = problemf(http.StatusConflict, "%s", conflict)
		p.metadata = map[string]any{
			"release": conflict.Number, "author": conflict.Author, "reason": conflict.Reason, "time": conflict.Time.UTC().Format(time.RFC3339),
		}
		return p
	case errors.As(err, &superseded):
		return problemf(http.StatusConflict, "it is %s", superseded)
	case errors.Is(err, publish.ErrNoDatabase):
		p = problemf(http.StatusServiceUnavailable, "%s", err)
		p.retryAfter = 1
		return p
	case errors.Is(err, publish.ErrInvalid), errors.Is(err, controlstate.ErrInvalid):
		return badRequest("%s", err)
	case errors.Is(err, controlstate.ErrNotFound):
		return problemf(http.StatusNotFound, "%s", err)
	case errors.Is(err, controlstate.ErrRevoked), errors.Is(err, controlstate.ErrExists), errors.Is(err, controlstate.ErrChanged), errors.Is(err, controlstate.ErrInUse), errors.Is(err, controlstate.ErrNoTeam):
		return problemf(http.StatusConflict, "%s", err)
	case errors.Is(err, context.Canceled):
		return problemf(http.StatusServiceUnavailable, "the control plane is stopping, or the client disconnected")
	default:
		return problemf(http.StatusServiceUnavailable, "not done: %s", err)
	}
}

func brokenFiles(list config.Problems) *problem {
	lines := make([]string, len(list))
	for i, one := range list {
		lines[i] = one.String()
	}
	what := "one problem"
	if len(lines) > 1 {
		what = fmt.Sprintf("%d problems", len(lines))
	}
	p := badRequest("the configuration has %s; nothing was changed", what)
	p.metadata = map[string]any{"problems": lines}
	return p
}
