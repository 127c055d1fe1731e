// Package token gets the OAuth access tokens that Google's and Azure's APIs want,
// and the keys that AWS gives its machines, and keeps them fresh, so that a
// request almost never waits for one.
package token

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/secret"
)

const (
	// early is how long before its end a token is replaced, and never more than
	// a quarter of its life.
	early = 5 * time.Minute
	// margin is taken off a token's life: it has to arrive while it is valid.
	margin = 10 * time.Second
	// fetchTime bounds one fetch with its repetitions.
	fetchTime = 30 * time.Second
	// pause is how long a failed fetch stands before the next one is tried.
	pause = 5 * time.Second
	// youth protects a new token from being dropped: what refuses it is not
	// helped by another one.
	youth = 30 * time.Second
)

// Options say whose tokens a source gets.
type Options struct {
	// Secret is the JSON of a service account or of other Google credentials, a
	// ready access token, or empty for what the machine itself has: the file in
	// GOOGLE_APPLICATION_CREDENTIALS, gcloud's log-in, or the metadata server.
	Secret secret.String
	// Entra means that Secret is the JSON of an application in Microsoft Entra ID:
	// tenant_id, client_id and client_secret, and for other clouds than the public
	// one token_uri and scope; or managed_identity, for the Azure machine's own.
	Entra bool
	// Variable looks up a variable of the node's, nil for none: App Service says
	// by two of them where its identity's tokens come from.
	Variable func(name string) (string, bool)
	// Region asks for this machine's AWS credentials in place of a token, as
	// ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]; Secret is empty. It is the
	// region of AWS' token service if the machine names none.
	Region string
	// Log gets the failures that no request sees; nil for none.
	Log *slog.Logger
	// Now is the clock, time.Now if it is nil.
	Now func() time.Time
}

// Source hands out access tokens. It is safe for concurrent use.
type Source struct {
	// fetch is nil for a ready token, which stays current for ever.
	fetch fetch
	log   *slog.Logger
	now   func() time.Time

	// ctx ends the fetches, which outlive the requests that began them.
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	current grant
	flight  *flight
	// failure is the outcome of the last fetch, which counts until retryAt.
	failure error
	retryAt time.Time
}

// grant is a token and its times. The zero value is none.
type grant struct {
	token string
	// born is when it came, stale when to replace it, end when it expires.
	// Without an end a token lives until it is refused.
	born, stale, end time.Time
}

func (g *grant) valid(now time.Time) bool {
	return g.token != "" && (g.end.IsZero() || now.Before(g.end))
}

// flight is a fetch under way that everybody waits for.
type flight struct {
	done  chan struct{}
	token string
	err   error
}

// New returns a source. The error says what is wrong with the secret and shows
// nothing of it. Fetches end with ctx or with Close.
func New(ctx context.Context, o Options) (*Source, error) {
	fixed, get, err := read(&o)
	if err != nil {
		return nil, err
	}
	s := &Source{fetch: get, log: o.Log, now: o.Now, current: grant{token: fixed}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s, nil
}

// Close ends the fetches under way and waits for them.
func (s *Source) Close() {
	s.cancel()
	s.wg.Wait()
}

// Token returns a valid access token. A token that is about to expire is
// returned as long as it is valid, while a new one is fetched. The error is a
// *fault.Error.
func (s *Source) Token(ctx context.Context) (string, error) {
	f, token, err := s.ready()
	if f == nil {
		return token, err
	}
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return "", &fault.Error{Kind: fault.Canceled, Message: "The request ended while the gateway waited for a token", Unsent: true, Err: ctx.Err()}
	}
}

// ready returns the current token or failure, or the fetch to wait for.
func (s *Source) ready() (*flight, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.current.valid(now) {
		if !s.current.stale.IsZero() && !now.Before(s.current.stale) && s.flight == nil {
			s.takeOffLocked()
		}
		return nil, s.current.token, nil
	}
	if s.flight == nil {
		if s.failure != nil && now.Before(s.retryAt) {
			return nil, "", s.failure
		}
		s.takeOffLocked()
	}
	return s.flight, "", nil
}

// Invalidate drops a token that the API refused with 401. It reports whether
// another attempt is worth it, which it is not if the token is new.
func (s *Source) Invalidate(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.current.token != token:
		return true // someone else has replaced it
	case s.fetch == nil || s.now().Sub(s.current.born) < youth:
		return false
	}
	s.current = grant{}
	return true
}

func (s *Source) takeOffLocked() {
	f := &flight{done: make(chan struct{})}
	s.flight = f
	s.wg.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, fetchTime)
		defer cancel()
		token, end, err := s.fetch(ctx)
		s.land(f, token, end, err)
	})
}

// land takes in a fetch's outcome. When it fails early the old token is kept.
func (s *Source) land(f *flight, token string, end time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	now := s.now()
	if err != nil {
		f.err = failed(err)
		s.failure, s.retryAt = f.err, now.Add(pause)
		if s.current.valid(now) {
			s.current.stale = s.retryAt
			s.log.Warn("access token not refreshed, the old one is still valid", slog.Any("error", f.err), slog.Time("expires", s.current.end))
		}
	} else {
		f.token = token
		s.failure = nil
		s.current = lifeOf(token, now, end)
	}
	close(f.done)
}

// lifeOf plans a token's life; end is zero if the server did not say.
func lifeOf(token string, now, end time.Time) grant {
	g := grant{token: token, born: now}
	if !end.IsZero() {
		g.end = end.Add(-margin)
		g.stale = end.Add(-min(early, end.Sub(now)/4))
	}
	return g
}
