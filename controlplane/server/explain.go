package server

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/shared/wire"
)

// explainTime bounds the wait for a node's answer.
const explainTime = 5 * time.Second

var nodeID = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// explain asks a node what it would do with a request.
func (s *Server) explain(ctx context.Context, in adminapi.Question) (wire.Explanation, error) {
	var none wire.Explanation
	if len(in.Request) == 0 {
		return none, badRequest(`request is required: the body of a request, such as {"model":"demo","messages":[...]}`)
	}
	subject := wire.AskExplain
	if in.Node != "" {
		if !nodeID.MatchString(in.Node) {
			return none, badRequest("node must be a node's id, got %q", in.Node)
		}
		subject += "." + in.Node
	}
	q := wire.Question{Path: in.Path, KeyID: in.Key, Header: in.Headers, Body: in.Request}
	text, err := q.Encode()
	if err != nil {
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	m, err := s.o.Conn.RequestWithContext(ctx, subject, text)
	switch {
	case errors.Is(err, nats.ErrNoResponders) && in.Node != "":
		return none, problemf(http.StatusNotFound, "node %q not found", in.Node)
	case errors.Is(err, nats.ErrNoResponders):
		return none, problemf(http.StatusServiceUnavailable, "no live node")
	case err != nil:
		return none, problemf(http.StatusServiceUnavailable, "no node answered: %s", err)
	}
	out, err := wire.DecodeExplanation(m.Data)
	if err != nil {
		return none, err
	}
	return *out, nil
}
