package route

import (
	"time"

	"github.com/hybridinference/gateway/dataplane/snapshot"
)

// Pin plans the one endpoint of a model that slug names, by its id or by its
// provider; false if there is none. Whether it
// admits a request now is another matter. Of several the weights decide. An endpoint
// of weight 0 gets no traffic but this.
func (p *Plan) Pin(m *snapshot.Model, slug string, now time.Time) bool {
	w := &Constraints{Preferences: Preferences{Only: []string{slug}, NoFallbacks: true}, Now: now}
	if p.Prefer(w, []Target{{Model: m}}); p.n > 0 || p.Waiting.Endpoint != nil {
		return true
	}
	for _, e := range m.Parked {
		if e.Named(slug) {
			if p.admits(m, e, now) {
				p.push(m, e)
			}
			return true
		}
	}
	return false
}
