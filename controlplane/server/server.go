// Package server is the admin API: what operators and their tools ask of the
// control plane, as JSON over HTTP. README.md beside the module lists it.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/secret"
)

// Options are what the API works on. All but LogStore, Token, Open and KeySecret
// are required.
type Options struct {
	Publisher *publish.Publisher
	Nodes     *nodes.Table
	Conn      *nats.Conn
	// LogStore answers /admin/stats; nil without one.
	LogStore LogStore
	// Token is what callers of /admin/ must show. It may be empty only if Open.
	Token secret.String
	// Open lets everybody on this machine in, for a control plane that listens
	// on loopback and nowhere else. It has no effect with a Token.
	Open bool
	// Proxies are the networks whose X-Forwarded-For tells who asks.
	Proxies []netip.Prefix
	// KeySecret is what API keys are hashed under; without it none can be made.
	KeySecret secret.String
	Version   string
	Log       *slog.Logger
}

// LogStore is what the API needs of the request log; package requestlog has several.
type LogStore interface {
	Stats(ctx context.Context, q requestlog.StatsQuery) ([]requestlog.StatsRow, error)
	Logs(ctx context.Context, q requestlog.LogQuery) ([]requestlog.LogRow, error)
	Usage(ctx context.Context, since time.Time, by string) ([]requestlog.UsageRow, error)
	Content(ctx context.Context, requestID string) (*requestlog.Content, error)
	Gaps(ctx context.Context, since, until time.Time) ([]requestlog.Gap, error)
	Health(ctx context.Context) error
}

// Server serves the admin API. Create it with New.
type Server struct {
	o       Options
	mux     *http.ServeMux
	started time.Time
	lockout lockout
	// document is the API's description.
	document json.RawMessage
}

// New returns the API as an http.Handler.
func New(o Options) (*Server, error) {
	if o.Token.Empty() && !o.Open {
		return nil, errors.New("ADMIN_TOKEN must be set: the admin API changes what the gateway does")
	}
	s := &Server{o: o, mux: http.NewServeMux(), started: time.Now()}
	var err error
	if s.document, err = document(); err != nil {
		return nil, err
	}
	for path, methods := range s.routes() {
		s.mux.Handle(path, methods)
	}
	return s, nil
}

// routes are all paths with their methods.
func (s *Server) routes() map[string]methods {
	const get, put, post, patch, del = http.MethodGet, http.MethodPut, http.MethodPost, http.MethodPatch, http.MethodDelete
	return map[string]methods{
		"/":                                 {get: s.index},
		"/health":                           {get: s.health},
		"/admin/status":                     {get: s.status},
		"/admin/routing":                    {get: s.routing},
		"/admin/models":                     {get: s.models},
		"/admin/endpoints":                  {get: s.endpoints},
		"/admin/endpoints/disable":          {post: s.disableEndpoints},
		"/admin/endpoints/enable":           {post: s.enableEndpoints},
		"/admin/openapi.json":               {get: s.openapi},
		"/admin/explain":                    {post: s.explain},
		"/admin/weights":                    {get: s.weights, put: s.setWeights, del: s.resetWeights},
		"/admin/apply":                      {post: s.apply},
		"/admin/releases":                   {get: s.releases},
		"/admin/releases/{number}":          {get: s.release},
		"/admin/releases/{number}/diff":     {get: s.diff},
		"/admin/releases/{number}/rollback": {post: s.rollback},
		"/admin/nodes":                      {get: s.nodes},
		"/admin/nodes/{id}":                 {get: s.node},
		"/admin/keys":                       {get: s.keys, post: s.createKey},
		"/admin/keys/import":                {post: s.importKeys},
		"/admin/keys/{id}":                  {get: s.key, patch: s.updateKey, del: s.revokeKey},
		"/admin/keys/{id}/rotate":           {post: s.rotateKey},
		"/admin/stats":                      {get: s.stats},
		"/admin/usage":                      {get: s.usage},
		"/admin/logs":                       {get: s.logs},
		"/admin/logs/{id}/content":          {get: s.content},
		"/admin/ledger":                     {get: s.ledger},
		"/admin/deadletters":                {get: s.deadLetters},
		"/admin/deadletters/replay":         {post: s.replayDeadLetters},
		"/admin/deadletters/drop":           {post: s.dropDeadLetters},
		"/admin/audit":                      {get: s.audit},
	}
}

// index lists what there is.
func (s *Server) index(r *http.Request) (any, error) {
	if r.URL.Path != "/" {
		return nil, problemf(http.StatusNotFound, "there is nothing at %s; GET / lists what there is", r.URL.Path)
	}
	paths := make(map[string][]string)
	for path, methods := range s.routes() {
		paths[path] = methods.allowed()
	}
	return map[string]any{"name": "control plane of the gateway", "version": s.o.Version, "paths": paths}, nil
}
