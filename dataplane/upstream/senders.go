package upstream

import (
	"fmt"
	"net/url"
	"sync"
	"time"
)

// Senders holds one sender for each upstream host. It outlives releases, so
// that a new release finds the connections of the old one.
type Senders struct {
	connect time.Duration

	mu     sync.Mutex
	plain  map[string]*Plain
	secure *Secure
	demo   *Demo
}

// NewSenders returns an empty set; connect bounds dialling.
func NewSenders(connect time.Duration) *Senders {
	return &Senders{connect: connect, plain: map[string]*Plain{}, secure: NewSecure(connect), demo: &Demo{}}
}

// Connections are the open connections to upstreams, idle ones included: in plain
// text and over TLS.
func (s *Senders) Connections() (plain, secure int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.plain {
		plain += p.host.ConnsCount()
	}
	return plain, int(s.secure.open.Load())
}

// BuiltIn returns the sender for endpoints that answer in process.
func (s *Senders) BuiltIn() Sender { return s.demo }

// For returns the sender for an endpoint with that base URL.
func (s *Senders) For(baseURL string) (Sender, error) {
	u, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	switch u.Scheme {
	case "https":
		return s.secure, nil
	case "http":
		s.mu.Lock()
		defer s.mu.Unlock()
		p, ok := s.plain[u.Host]
		if !ok {
			p = NewPlain(u, s.connect)
			s.plain[u.Host] = p
		}
		return p, nil
	}
	return nil, fmt.Errorf("base URL %q: the scheme must be http or https", baseURL)
}
