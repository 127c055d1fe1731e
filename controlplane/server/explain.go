package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/shared/wire"
)

// explainTime bounds the wait for a node's answer.
const explainTime = 5 * time.Second

var nodeID = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

// explain asks a node what it would do with a request.
func (s *Server) explain(r *http.Request) (any, error) {
	var in struct {
		Request json.RawMessage   `json:"request"`
		Path    string            `json:"path"`
		Key     string            `json:"key"`
		Node    string            `json:"node"`
		Headers map[string]string `json:"headers"`
	}
	if err := read(r, maxBody, &in); err != nil {
		return nil, err
	}
	if len(in.Request) == 0 {
		return nil, badRequest(`request is missing: the body of a request, such as {"model":"demo","messages":[...]}`)
	}
	subject := wire.AskExplain
	if in.Node != "" {
		if !nodeID.MatchString(in.Node) {
			return nil, badRequest("node must be a node's id, got %q", in.Node)
		}
		subject += "." + in.Node
	}
	q := wire.Question{Path: in.Path, KeyID: in.Key, Header: in.Headers, Body: in.Request}
	text, err := q.Encode()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), explainTime)
	defer cancel()
	m, err := s.o.Conn.RequestWithContext(ctx, subject, text)
	switch {
	case errors.Is(err, nats.ErrNoResponders) && in.Node != "":
		return nil, problemf(http.StatusNotFound, "no node %q is there to ask", in.Node)
	case errors.Is(err, nats.ErrNoResponders):
		return nil, problemf(http.StatusServiceUnavailable, "no node is there to ask")
	case err != nil:
		return nil, problemf(http.StatusServiceUnavailable, "no node answered: %s", err)
	}
	return wire.DecodeExplanation(m.Data)
}
