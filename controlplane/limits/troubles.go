package limits

import (
	"log/slog"
	"sync"
	"time"
)

// troubles keep this daemon from granting all that is left of limits.
type troubles struct {
	mu       sync.Mutex
	unkept   error     // NATS does not keep grants
	unknown  error     // the request log does not say what was spent
	learning time.Time // until when it is found out what was granted before
}

func (t *troubles) set(unkept, unknown error, learning time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unkept, t.unknown, t.learning = unkept, unknown, learning
}

// note publishes what keeps this daemon from granting all that is left.
func (s *Service) note(now time.Time) {
	until, learning := s.granter.Learning(now)
	if learning && !s.told {
		s.o.Log.Warn("what was granted of limits was lost: no node gets more than it has until all have been heard of", slog.Time("until", until))
	}
	s.told = learning
	s.troubles.set(s.unkept, s.unknown, until)
}

// Problems says, one sentence each, why nodes get less of limits than is left.
func (s *Service) Problems() (list []string) {
	t := &s.troubles
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.learning) {
		list = append(list, "what was granted of limits was lost: no node gets more than it has until "+t.learning.UTC().Format(time.TimeOnly)+" UTC")
	}
	if t.unkept != nil {
		list = append(list, "no shares of limits are granted: "+t.unkept.Error())
	}
	if t.unknown != nil {
		list = append(list, "limits refuse until the request log says what was spent before: "+t.unknown.Error())
	}
	return list
}
