package server

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// freeTries is how many wrong tokens in a row cost an address nothing.
	freeTries = 5
	// firstLock doubles with each further one, up to longestLock.
	firstLock   = time.Second
	longestLock = 5 * time.Minute
	// forgetAfter is how long an address is remembered after its last try.
	forgetAfter = 15 * time.Minute
	// maxStrangers bounds how many addresses are remembered.
	maxStrangers = 10_000
)

// lockout slows down whoever guesses the token, by address. The right token
// does not ask it.
type lockout struct {
	mu        sync.Mutex
	strangers map[netip.Prefix]*stranger
}

// stranger is an address that has shown wrong tokens.
type stranger struct {
	failures int
	last     time.Time
	until    time.Time
}

// network is what counts as one address: of IPv6 the network that one
// customer gets.
func network(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address at all: all of these together
	}
	return p
}

// locked returns how long an address has to wait.
func (l *lockout) locked(addr netip.Addr, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.strangers[network(addr)]; s != nil {
		return max(0, s.until.Sub(now))
	}
	return 0
}

// failed counts a wrong token and returns how many there were in a row.
func (l *lockout) failed(addr netip.Addr, now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.strangers == nil {
		l.strangers = map[netip.Prefix]*stranger{}
	}
	if len(l.strangers) >= maxStrangers {
		l.forget(now)
	}
	s := l.strangers[network(addr)]
	if s == nil || now.Sub(s.last) > forgetAfter {
		s = &stranger{}
		l.strangers[network(addr)] = s
	}
	s.failures++
	s.last = now
	if over := s.failures - freeTries; over >= 0 {
		s.until = now.Add(min(longestLock, firstLock<<min(over, 20)))
	}
	return s.failures
}

// forget drops the addresses that were silent for long, else all but those
// that are locked now: an attacker with many addresses must not fill the memory.
func (l *lockout) forget(now time.Time) {
	for p, s := range l.strangers {
		if now.Sub(s.last) > forgetAfter || !s.until.After(now) {
			delete(l.strangers, p)
		}
	}
	if len(l.strangers) >= maxStrangers {
		clear(l.strangers)
	}
}

// succeeded forgets an address that has shown the right token.
func (l *lockout) succeeded(addr netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.strangers, network(addr))
}
