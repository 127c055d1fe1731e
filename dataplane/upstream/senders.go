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

// For returns the sender for an endpoint of the given kind and base URL.
func (s *Senders) For(kind, baseURL string) (Sender, error) {
	if kind == "demo" {
		return s.demo, nil
	}
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
