// Package probe watches the endpoints that routing.yaml says to watch: it asks
// each server for its health, takes those that do not answer out of service,
// and lets them back in.
package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/upstream"
)

const (
	// idle is how often a prober that is off looks whether it still is.
	idle = time.Second
	// defaultTimeout bounds a probe if the release does not say.
	defaultTimeout = 2 * time.Second
)

// Prober probes the endpoints of whatever snapshot is current.
type Prober struct {
	current *atomic.Pointer[snapshot.Snapshot]
	client  *retryablehttp.Client
	// connections is the client's transport, which one failed probe must not
	// take the connections from.
	connections http.RoundTripper
	log         *slog.Logger
	watched     map[*upstream.State]bool
	// unread are the states of endpoints whose load could not be read last time.
	unread sync.Map
}

// New returns a prober that does nothing yet.
func New(current *atomic.Pointer[snapshot.Snapshot], log *slog.Logger) *Prober {
	c := retryablehttp.NewClient()
	connections := c.HTTPClient.Transport
	c.HTTPClient.Transport = upstream.KeepIdle(connections)
	c.Logger, c.RetryMax = nil, 0
	// One probe is one question, whatever the answer: the next round asks again.
	c.CheckRetry = func(_ context.Context, _ *http.Response, err error) (bool, error) { return false, err }
	return &Prober{current: current, client: c, connections: connections, log: log, watched: map[*upstream.State]bool{}}
}

// Run probes until ctx is done.
func (p *Prober) Run(ctx context.Context) error {
	defer (&http.Client{Transport: p.connections}).CloseIdleConnections()
	for {
		wait := p.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// target is one server, which may serve several endpoints.
type target struct {
	url string
	// headers are those that the endpoints' requests have, too.
	headers   []codec.Header
	endpoints []*snapshot.Endpoint
}

// round probes every server once and returns how long to wait for the next round.
func (p *Prober) round(ctx context.Context) time.Duration {
	s := p.current.Load()
	interval := time.Duration(s.HealthCheck.IntervalMS) * time.Millisecond
	targets := map[string]*target{}
	if interval > 0 {
		targets = targetsOf(s)
	}
	p.forget(targets)
	timeout := time.Duration(s.HealthCheck.TimeoutMS) * time.Millisecond
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	var all sync.WaitGroup
	for _, t := range targets {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			err := p.ask(ctx, t, s.HealthCheck.Statuses)
			p.note(ctx, t, err)
			if s.HealthCheck.Metrics != "" && (err == nil || errors.Is(err, upstream.ErrUnprobed)) {
				p.noteLoad(ctx, s, t, interval, timeout)
			}
		})
	}
	all.Wait()
	if interval <= 0 {
		return idle
	}
	return interval
}

func targetsOf(s *snapshot.Snapshot) map[string]*target {
	targets := map[string]*target{}
	for e := range s.All() {
		if !e.Probe {
			continue
		}
		at := healthURL(e, s.HealthCheck.Path)
		key := at + fmt.Sprint(e.Headers) // those with other headers may get another answer
		if targets[key] == nil {
			targets[key] = &target{url: at, headers: e.Headers}
		}
		targets[key].endpoints = append(targets[key].endpoints, e)
	}
	return targets
}

// healthURL is where an endpoint's server says how it is: the path, or else what
// its kind has.
func healthURL(e *snapshot.Endpoint, path string) string {
	return serverURL(e, cmp.Or(path, e.Source.HealthPath, "/health"))
}

// serverURL is a path of an endpoint's host, whatever path the API has.
func serverURL(e *snapshot.Endpoint, path string) string {
	u, err := url.Parse(e.BaseURL)
	if err != nil {
		return e.BaseURL // the control plane has checked it
	}
	return u.Scheme + "://" + u.Host + path
}

// forget lets go of what is no longer watched.
func (p *Prober) forget(targets map[string]*target) {
	now := map[*upstream.State]bool{}
	for _, t := range targets {
		for _, e := range t.endpoints {
			now[e.State] = true
		}
	}
	for state := range p.watched {
		if !now[state] {
			state.Unprobed()
			p.unread.Delete(state)
		}
	}
	p.watched = now
}

// ask is nil if the server is healthy: if it answers with one of the statuses,
// or any from 200 to 299 if there are none. A server that has no such path is
// upstream.ErrUnprobed.
func (p *Prober) ask(ctx context.Context, t *target, statuses []int) error {
	at := t.url
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	for _, h := range t.headers {
		req.Header.Set(h.Name, h.Value)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	status := resp.StatusCode
	if slices.Contains(statuses, status) || len(statuses) == 0 && status >= 200 && status <= 299 {
		return nil
	}
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return fmt.Errorf("GET %s: status %d: %w there; set health_check.path", at, status, upstream.ErrUnprobed)
	}
	return fmt.Errorf("GET %s: status %d", at, status)
}

// note updates the endpoints' states, and logs what changed.
func (p *Prober) note(ctx context.Context, t *target, err error) {
	for _, e := range t.endpoints {
		err := redacted(err, e.Hidden)
		if !e.State.Probed(err, time.Now()) {
			continue
		}
		if errors.Is(err, upstream.ErrUnprobed) {
			p.log.WarnContext(ctx, "endpoint cannot be probed and stays in service", slog.String("endpoint", e.ID), slog.String("probe", err.Error()))
		} else if err != nil {
			p.log.WarnContext(ctx, "endpoint is out of service", slog.String("endpoint", e.ID), slog.String("probe", err.Error()))
		} else {
			p.log.InfoContext(ctx, "endpoint is back in service", slog.String("endpoint", e.ID))
		}
	}
}

// redacted takes an endpoint's secrets out of an error: what a server answers may
// repeat them, and net/http quotes what is no HTTP.
func redacted(err error, secrets []string) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	text := said
	for _, secret := range secrets {
		text = codec.Hide(text, secret)
	}
	if text == said {
		return err
	}
	return errors.New(text)
}
