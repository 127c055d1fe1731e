package upstream

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/hybridinference/gateway/shared/fault"
)

const (
	// defaultKeyRest is how long a key is left alone that was refused without
	// word of when to come back.
	defaultKeyRest = 2 * time.Minute
	// maxKeyRest bounds what an upstream may ask for.
	maxKeyRest = time.Hour
)

// Key is what a node has learnt of one of an endpoint's secrets. It outlives
// releases.
type Key struct{ restsUntil atomic.Int64 }

// keyring holds the keys of an endpoint by the names of their variables.
type keyring struct {
	mu     sync.Mutex
	byName map[string]*Key
}

// Key returns the state of a secret by the name of its variable.
func (s *State) Key(name string) *Key {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	k := s.keys.byName[name]
	if k == nil {
		if s.keys.byName == nil {
			s.keys.byName = map[string]*Key{}
		}
		k = &Key{}
		s.keys.byName[name] = k
	}
	return k
}

// RestsUntil is until when the key should not be used; in the past or the zero time
// if it may.
func (k *Key) RestsUntil() time.Time {
	if t := k.restsUntil.Load(); t != 0 {
		return time.Unix(0, t)
	}
	return time.Time{}
}

// Refused leaves the key alone for as long as the upstream asked.
func (k *Key) Refused(f *fault.Error, now time.Time) {
	d := defaultKeyRest
	if f.RetryAfter > 0 {
		d = min(f.RetryAfter, maxKeyRest)
	}
	k.restsUntil.Store(now.Add(d).UnixNano())
}

// OfKey reports whether a fault is due to the key that was used rather than to
// the endpoint: another key may work.
func OfKey(f *fault.Error) bool {
	switch f.Kind {
	case fault.RateLimit, fault.Authentication, fault.Payment:
		return true
	default:
		return false
	}
}
