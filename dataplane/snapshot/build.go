package snapshot

import (
	"cmp"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/dataplane/catalog"
	"github.com/hybridinference/gateway/dataplane/limits"
	"github.com/hybridinference/gateway/dataplane/metrics"
	"github.com/hybridinference/gateway/dataplane/queue"
	"github.com/hybridinference/gateway/dataplane/token"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/exposition"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// Builder compiles releases. It holds what outlives them.
type Builder struct {
	Senders *upstream.Senders
	// Secret looks up a secret by its variable's name.
	Secret func(name string) (string, bool)
	// Timeouts are the node's defaults.
	Timeouts upstream.Timeouts
	Breaker  upstream.BreakerSettings
	// StandIns lets demo endpoints answer for models whose real endpoints are
	// all out of service.
	StandIns bool

	// Limits counts what keys use; one of its own if nil, which grants nothing.
	Limits *limits.Registry

	// Metrics counts requests; series of its own if nil, which no one sees.
	Metrics *metrics.Requests

	// Log gets what goes wrong while no request waits for it.
	Log *slog.Logger

	// last is the snapshot of release, while it need not be compiled again.
	last    *Snapshot
	release *wire.Release

	built  map[string]builtModel
	states map[string]*upstream.State
	tokens map[string]*token.Source
	spent  map[string]*Spending
	queues map[string]*queue.Queue // by model
	probes []probe
}

// builtModel is a model as the last release had it.
type builtModel struct {
	wire    *wire.Model
	model   *Model
	missing []wire.MissingSecret
}

// same reports whether both are one decoded text, as a ReleaseDecoder gives it.
func same(a, b *wire.Model) bool {
	return len(a.Endpoints) > 0 && len(a.Endpoints) == len(b.Endpoints) && &a.Endpoints[0] == &b.Endpoints[0]
}

// answers is what is known of the model's answers so far.
func (b *builtModel) answers() *Answers {
	if b.model == nil {
		return NewAnswers()
	}
	return b.model.Answers
}

// reweighted returns the endpoint as it was, with its new weight, nil if more
// than weights has changed: that is by far the most common change of a model.
func (b *builtModel) reweighted(w *wire.Model, we *wire.Endpoint) *Endpoint {
	if b.model == nil {
		return nil
	}
	was, is := *b.wire, *w
	was.Endpoints, is.Endpoints = nil, nil
	if !reflect.DeepEqual(was, is) {
		return nil
	}
	for _, list := range [][]*Endpoint{b.model.Endpoints, b.model.Parked} {
		for _, e := range list {
			if e.ID != we.ID {
				continue
			}
			was, is := *e.Endpoint, *we
			was.Weight, was.Configured, was.Held, was.Shadow, is.Weight, is.Configured, is.Held, is.Shadow = 0, 0, nil, 0, 0, 0, nil, 0
			if !reflect.DeepEqual(was, is) {
				return nil
			}
			out := *e
			out.Endpoint = we
			return &out
		}
	}
	return nil
}

// Build compiles a release and a key table. Whatever can fail fails here,
// before anything is swapped. Both may be nil: a node without a release serves
// no model, a node without a key table accepts no key.
func (b *Builder) Build(r *wire.Release, t *wire.KeyTable) (*Snapshot, error) {
	if b.Metrics == nil {
		b.Metrics = metrics.NewRequests(exposition.NewRegistry(), "")
	}
	if b.Limits == nil {
		b.Limits = limits.NewRegistry(0)
	}
	b.Limits.Begin()
	if b.last != nil && r == b.release {
		return b.rekey(t), nil
	}
	s := &Snapshot{byName: map[string]*Model{}, Keys: b.keys(t)}
	if r == nil {
		b.Limits.End()
		s.publish()
		return s, nil
	}
	s.Epoch, s.Release, s.HealthCheck = r.Epoch, r.Number, r.Snapshot.HealthCheck
	used := make(map[string]*upstream.State, len(b.states))
	built := make(map[string]builtModel, len(r.Snapshot.Models))
	for i := range r.Snapshot.Models {
		w := r.Snapshot.Models[i] // a copy, which pins no other model of its release
		done, err := b.model(&w, used)
		if err != nil {
			return nil, err
		}
		m := done.model
		built[w.ID] = done
		s.Missing = append(s.Missing, done.missing...)
		s.Models = append(s.Models, m)
		for _, name := range append([]string{m.ID}, m.Aliases...) {
			if s.byName[name] != nil {
				return nil, fmt.Errorf("model %s: the name %q is taken", m.ID, name)
			}
			s.byName[name] = m
			if prefix, ok := strings.CutSuffix(name, "*"); ok {
				s.byPrefix = append(s.byPrefix, prefixed{prefix, m})
			}
		}
	}
	slices.SortStableFunc(s.byPrefix, func(a, b prefixed) int { return len(b.prefix) - len(a.prefix) })
	if s.Default = s.byName[r.Snapshot.DefaultModel]; s.Default == nil && len(s.Models) > 0 {
		s.Default = s.Models[0]
	}
	b.states, b.built = used, built
	b.Limits.End() // not before: what failed to build leaves the counters of what is in service
	b.Metrics.Keep(s.series())
	b.configureQueues(s.Models)
	configureHedges(s.Models)
	s.publish()
	b.last, b.release = s, r
	return s, nil
}

// rekey returns the last snapshot with another key table: most changes of keys
// and limits leave the release as it is.
func (b *Builder) rekey(t *wire.KeyTable) *Snapshot {
	s := *b.last
	s.Keys = b.keys(t)
	for i := range b.release.Snapshot.Models {
		for j := range b.release.Snapshot.Models[i].Endpoints {
			b.limitsAt(&b.release.Snapshot.Models[i].Endpoints[j]) // their counters stay
		}
	}
	b.Limits.End()
	b.last = &s
	return &s
}

// Forget has the next Build compile everything, and look up all secrets, again;
// what endpoints have learnt stays.
func (b *Builder) Forget() { b.built, b.last = nil, nil }

// model compiles a model, unless it is what it was before.
func (b *Builder) model(w *wire.Model, used map[string]*upstream.State) (builtModel, error) {
	for i := range w.Endpoints {
		id := w.Endpoints[i].ID
		if used[id] != nil {
			return builtModel{}, fmt.Errorf("model %s: endpoint %s is a duplicate", w.ID, id)
		}
		used[id] = b.state(id)
		b.limitsAt(&w.Endpoints[i]) // also those of a model that stays as it is
	}
	before, ok := b.built[w.ID]
	if ok && same(before.wire, w) {
		return before, nil
	}
	role, err := RoleOf(w.RequiredRole)
	if err != nil {
		return builtModel{}, fmt.Errorf("model %s: %w", w.ID, err)
	}
	out := builtModel{wire: w, model: &Model{Model: w, Role: role, Metrics: b.Metrics.Model(w.ID), Answers: before.answers(), Queue: b.queue(w), Hedge: before.hedging(w)}}
	m := out.model
	m.Policy, m.Affinity = selectionOf(w.Effective())
	for i := range w.Endpoints {
		we := &w.Endpoints[i]
		e, missing := before.reweighted(w, we), ""
		if e == nil {
			if e, missing, err = b.endpoint(w, we, used[we.ID]); err != nil {
				return builtModel{}, fmt.Errorf("endpoint %s: %w", we.ID, err)
			}
		}
		if missing != "" {
			out.missing = append(out.missing, wire.MissingSecret{Endpoint: we.ID, Variable: missing})
			continue
		}
		if we.Weight > 0 {
			m.Endpoints = append(m.Endpoints, e)
		} else {
			m.Parked = append(m.Parked, e)
		}
		if we.Shadow > 0 && we.Weight == 0 && !we.Disabled() {
			m.Shadows = append(m.Shadows, e)
		}
	}
	m.Endpoints = b.standIns(m.Endpoints)
	for _, e := range m.Endpoints {
		m.Total += e.Weight
	}
	if err := b.describe(m); err != nil {
		return builtModel{}, fmt.Errorf("model %s: %w", w.ID, err)
	}
	return out, nil
}

// standIns removes demo endpoints beside real ones, unless they may stand in
// and nothing else of the model is in service: real clients must not get canned
// answers.
func (b *Builder) standIns(list []*Endpoint) []*Endpoint {
	if !b.StandIns {
		return slices.DeleteFunc(list, func(e *Endpoint) bool { return e.StandIn })
	}
	builtIn := func(e *Endpoint) bool { return e.Source.BuiltIn }
	if !slices.ContainsFunc(list, func(e *Endpoint) bool { return !builtIn(e) }) {
		return list
	}
	return slices.DeleteFunc(list, builtIn)
}

// endpoint compiles one endpoint. missing names the variable without which it
// cannot serve.
func (b *Builder) endpoint(m *wire.Model, w *wire.Endpoint, state *upstream.State) (e *Endpoint, missing string, err error) {
	e = &Endpoint{Endpoint: w, State: state, Limits: b.limitsAt(w), Timeouts: b.Timeouts, Metrics: b.Metrics.Endpoint(m.ID, w.ID, w.Provider)}
	if w.TimeoutMS > 0 {
		e.Timeouts.Total = time.Duration(w.TimeoutMS) * time.Millisecond
	}
	settings := adapters.Settings(m, w)
	if missing, err = b.addExtras(e, &settings); err != nil {
		return nil, "", err
	}
	if e.Adapter, err = adapters.New(settings); err != nil {
		return nil, "", err
	}
	e.Source, _ = adapters.Find(w.Kind) // New has found it
	if e.Sender = b.Senders.BuiltIn(); !e.Source.BuiltIn {
		if e.Sender, err = b.Senders.For(w.BaseURL); err != nil {
			return nil, "", err
		}
	}
	if e.Price, err = price.New(w.Pricing); err != nil {
		return nil, "", err
	}
	return e, cmp.Or(missing, b.authorize(e)), nil
}

// authorize resolves the endpoint's secrets; one of several is enough. missing
// is a variable without which the endpoint cannot serve.
func (b *Builder) authorize(e *Endpoint) (missing string) {
	names := e.Secrets
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		value, ok := "", name == ""
		if !ok {
			value, ok = b.Secret(name)
			ok = ok && value != ""
		}
		if ok {
			c, err := b.credential(e, value)
			if ok = err == nil; ok {
				c.State = e.State.Key(name)
				e.Auth = append(e.Auth, c)
				e.Hidden = append(e.Hidden, value)
			} else {
				b.Log.Error("secret cannot be used", slog.String("endpoint", e.ID), slog.String("variable", name), slog.String("error", err.Error()))
			}
		}
		if !ok && missing == "" {
			missing = name
		}
	}
	if len(e.Auth) > 0 {
		return ""
	}
	return missing
}

// state returns the state that the endpoint has had so far.
func (b *Builder) state(id string) *upstream.State {
	if st := b.states[id]; st != nil {
		return st
	}
	return upstream.NewState(b.Breaker)
}

// series are the models and endpoints whose metrics are shown.
func (s *Snapshot) series() (models map[*metrics.Model]bool, endpoints map[*metrics.Endpoint]bool) {
	models, endpoints = map[*metrics.Model]bool{}, map[*metrics.Endpoint]bool{}
	for _, m := range s.Models {
		models[m.Metrics] = true
		for _, list := range [...][]*Endpoint{m.Endpoints, m.Parked} {
			for _, e := range list {
				endpoints[e.Metrics] = true
			}
		}
	}
	return models, endpoints
}

// publish makes the catalog, with an audience for each role.
func (s *Snapshot) publish() {
	audiences := make([][]*catalog.Model, RoleAdmin+1)
	for role := range audiences {
		audiences[role] = s.Visible(&Key{Role: Role(role)})
	}
	s.Catalog = catalog.New(s.Release, audiences)
}
