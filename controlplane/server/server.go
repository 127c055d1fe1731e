// Package server serves the admin API, which package adminapi describes, as
// JSON over HTTP. A handler is a function from an operation's input to its
// output; everything around it is in serve.go.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/time/rate"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/console"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/rollout"
	"github.com/hybridinference/gateway/shared/secret"
)

// Options are what the API works on. All but LogStore, Token, Open and KeySecret
// are required.
type Options struct {
	Publisher *publish.Publisher
	Nodes     *nodes.Table
	Rollouts  *rollout.Engine
	Conn      *nats.Conn
	// LogStore answers /admin/stats; nil without one.
	LogStore LogStore
	// Erasers are all stores of the request log, from which requests are erased.
	Erasers []Eraser
	// Token is what callers of /admin/ must show. It may be empty only if Open.
	Token secret.String
	// Open lets every user of this machine in, for a control plane that listens
	// on loopback and nowhere else. It has no effect with a Token.
	Open bool
	// Proxies are the networks whose X-Forwarded-For is believed.
	Proxies []netip.Prefix
	// KeySecret is what API keys are hashed under; without it none can be made.
	KeySecret secret.String
	// Usage says what is wrong with the usage events' way; nil says nothing.
	Usage func() []adminapi.Problem
	// Console is how people sign in to the console.
	Console Console
	// Dir is where the SQLite file is, "" without one: its disk must have room.
	Dir     string
	Version string
	Log     *slog.Logger
}

// LogStore is what the API needs of the request log; package requestlog has several.
type LogStore interface {
	Stats(ctx context.Context, q requestlog.StatsQuery) ([]requestlog.StatsRow, error)
	Series(ctx context.Context, q requestlog.SeriesQuery) (requestlog.Series, error)
	Logs(ctx context.Context, q requestlog.LogQuery) ([]requestlog.LogRow, error)
	StatsOf(ctx context.Context, q requestlog.StatsQuery, by string) ([]requestlog.GroupStats, error)
	Spending(ctx context.Context, now time.Time) ([]requestlog.KeySpending, error)
	SpendingOf(ctx context.Context, now time.Time, key string) (requestlog.KeySpending, error)
	Report(ctx context.Context, q requestlog.ReportQuery) ([]requestlog.ReportRow, error)
	Content(ctx context.Context, requestID string) (*requestlog.Content, error)
	Shadows(ctx context.Context, q requestlog.ShadowQuery) ([]requestlog.ShadowComparison, error)
	Gaps(ctx context.Context, since, until time.Time) ([]requestlog.Gap, error)
	Health(ctx context.Context) error
	Reprice(ctx context.Context, q requestlog.RepriceQuery) (requestlog.Repriced, error)
	Billing(ctx context.Context, q requestlog.BillingQuery) ([]requestlog.BillingRow, error)
	Billed(ctx context.Context, upstreamIDs []string) ([]requestlog.BilledRequest, error)
}

// Eraser is a store of the request log that requests are erased from.
type Eraser interface {
	Erase(ctx context.Context, e requestlog.Erasure, from time.Time) (requestlog.Erased, error)
	CountErasure(ctx context.Context, e requestlog.Erasure) (requestlog.Erased, error)
}

// Server serves the admin API. Create it with New.
type Server struct {
	o       Options
	mux     *http.ServeMux
	started time.Time
	lockout lockout
	// failures bounds the records of failed logins, unrecorded counts the others.
	failures   *rate.Limiter
	unrecorded atomic.Int64
	searches   searches
	shared     live
	console    *console.Console
	emergency  emergency
	nodeClient *http.Client // of the playground
	endpoints  []endpoint
	// document is the API's description.
	document json.RawMessage
}

// New returns the API as an http.Handler.
func New(o Options) (*Server, error) {
	if o.Token.Empty() && !o.Open {
		return nil, errors.New("ADMIN_TOKEN must be set: the admin API changes what the gateway does")
	}
	s := &Server{o: o, mux: http.NewServeMux(), started: time.Now(), failures: rate.NewLimiter(rate.Every(failureEvery), failureRows)}
	s.o.Console, s.emergency = o.Console.withDefaults(), newEmergency(o.Token)
	s.nodeClient = newNodeClient()
	s.endpoints = s.operations()
	var err error
	if s.console, err = console.New(); err != nil {
		return nil, err
	}
	if s.document, err = describe(s.endpoints); err != nil {
		return nil, err
	}
	for path, methods := range byPath(s.endpoints) {
		if path == "/" {
			path = "/{$}"
		}
		s.mux.Handle(path, methods)
	}
	s.mux.Handle("/", notFound{})
	return s, nil
}

// operations are all that the API can do.
func (s *Server) operations() []endpoint {
	return slices.Concat(s.stateOperations(), s.keyOperations(), s.logOperations())
}

// stateOperations concern the daemon, what the nodes serve, and the nodes.
func (s *Server) stateOperations() []endpoint {
	return []endpoint{
		on(adminapi.GetIndex(), s.index),
		on(adminapi.GetHealth(), s.health),
		on(adminapi.GetStatus(), s.status),
		on(adminapi.GetLive(), s.live),
		on(adminapi.GetOpenAPI(), s.openapi),
		on(adminapi.GetRouting(), s.routing),
		on(adminapi.ListModels(), s.models),
		on(adminapi.ListEndpoints(), s.listEndpoints),
		on(adminapi.DisableEndpoints(), s.disableEndpoints),
		on(adminapi.EnableEndpoints(), s.enableEndpoints),
		on(adminapi.Explain(), s.explain),
		on(adminapi.ListWeights(), s.weights),
		on(adminapi.SetWeights(), s.setWeights),
		on(adminapi.ResetWeights(), s.resetWeights),
		on(adminapi.ListRollouts(), s.rollouts),
		on(adminapi.StartRollout(), s.startRollout),
		on(adminapi.PauseRollout(), s.pauseRollout),
		on(adminapi.ResumeRollout(), s.resumeRollout),
		on(adminapi.AbortRollout(), s.abortRollout),
		on(adminapi.FinishRollout(), s.finishRollout),
		on(adminapi.ListPolicies(), s.policies),
		on(adminapi.SetPolicy(), s.setPolicy),
		on(adminapi.ResetPolicy(), s.resetPolicy),
		on(adminapi.ApplyFiles(), s.apply),
		on(adminapi.ListCanaries(), s.canaries),
		on(adminapi.StartCanary(), s.startCanary),
		on(adminapi.PromoteCanary(), s.promoteCanary),
		on(adminapi.AbortCanary(), s.abortCanary),
		on(adminapi.ListReleases(), s.releases),
		on(adminapi.GetRelease(), s.release),
		on(adminapi.DiffRelease(), s.diff),
		on(adminapi.RollBack(), s.rollback),
		on(adminapi.ListNodes(), s.nodes),
		on(adminapi.GetNode(), s.node),
	}
}

// keyOperations concern keys, their limits and teams, and the management API.
func (s *Server) keyOperations() []endpoint {
	return []endpoint{
		on(adminapi.ListKeys(), s.keys),
		on(adminapi.CreateKey(), s.createKey),
		on(adminapi.ImportKeys(), s.importKeys),
		on(adminapi.GetKey(), s.key),
		on(adminapi.ChangeKey(), s.updateKey),
		on(adminapi.RevokeKey(), s.revokeKey),
		on(adminapi.RotateKey(), s.rotateKey),
		on(adminapi.ListLimits(), s.limits),
		on(adminapi.SetLimits(), s.setLimits),
		on(adminapi.ClearLimits(), s.clearLimits),
		on(adminapi.ListTeams(), s.teams),
		on(adminapi.CreateTeam(), s.createTeam),
		on(adminapi.GetTeam(), s.team),
		on(adminapi.ChangeTeam(), s.updateTeam),
		on(adminapi.DeleteTeam(), s.deleteTeam),
		on(adminapi.ListManagedKeys(), s.managedKeys),
		on(adminapi.CreateManagedKey(), s.createManagedKey),
		on(adminapi.GetManagedKey(), s.managedKey),
		on(adminapi.ChangeManagedKey(), s.updateManagedKey),
		on(adminapi.DeleteManagedKey(), s.deleteManagedKey),
		on(adminapi.GetActivity(), s.activity),
		on(adminapi.GetCredits(), s.credits),
	}
}

// logOperations concern the request log, prices, the audit log and operators.
func (s *Server) logOperations() []endpoint {
	return []endpoint{
		on(adminapi.GetStats(), s.stats),
		on(adminapi.GetSeries(), s.series),
		on(adminapi.GetUsage(), s.usage),
		on(adminapi.GetShadows(), s.shadows),
		on(adminapi.ListLogs(), s.logs),
		on(adminapi.GetContent(), s.content),
		on(adminapi.EraseRequests(), s.erase),
		on(adminapi.GetLedger(), s.ledger),
		on(adminapi.ListDeadLetters(), s.deadLetters),
		on(adminapi.ReplayDeadLetters(), s.replayDeadLetters),
		on(adminapi.DropDeadLetters(), s.dropDeadLetters),
		on(adminapi.GetBilling(), s.billing),
		on(adminapi.FindBilled(), s.findBilled),
		on(adminapi.ListPrices(), s.prices),
		on(adminapi.Reprice(), s.reprice),
		on(adminapi.ListAudit(), s.audit),
		on(adminapi.ListOperators(), s.operators),
		on(adminapi.CreateOperator(), s.createOperator),
		on(adminapi.RotateOperator(), s.rotateOperator),
		on(adminapi.RevokeOperator(), s.revokeOperator),
		on(adminapi.ListSessions(), s.sessions),
		on(adminapi.RevokeSessions(), s.revokeSessions),
		on(adminapi.WhoAmI(), s.whoami),
		on(adminapi.GetSignInMethods(), s.signInMethods),
		on(adminapi.GetSession(), s.getSession),
		{adminapi.SignIn().Typed(), s.signIn},
		{adminapi.SignOut().Typed(), s.signOut},
	}
}

// index lists the methods of every path.
func (s *Server) index(context.Context, adminapi.None) (adminapi.Index, error) {
	paths := make(map[string][]string)
	for path, methods := range byPath(s.endpoints) {
		paths[path] = methods.allowed()
	}
	return adminapi.Index{Name: "control plane of the gateway", Version: s.o.Version, Paths: paths}, nil
}

func (s *Server) openapi(context.Context, adminapi.None) (json.RawMessage, error) {
	return s.document, nil
}
