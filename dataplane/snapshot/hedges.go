package snapshot

import (
	"time"

	"github.com/hybridinference/gateway/dataplane/hedge"
	"github.com/hybridinference/gateway/shared/wire"
)

// hedging returns what a model's requests are hedged by, the same as long as they
// are: what it has learnt stays. Nil if they are not.
func (b *builtModel) hedging(w *wire.Model) *hedge.Policy {
	if w.Hedge == nil {
		return nil
	}
	var p *hedge.Policy
	if b.model != nil {
		p = b.model.Hedge
	}
	if p == nil {
		p = &hedge.Policy{}
	}
	return p
}

// configureHedges sets when the models of a snapshot are hedged.
func configureHedges(models []*Model) {
	for _, m := range models {
		if m.Hedge != nil {
			m.Hedge.Configure(time.Duration(m.Model.Hedge.AfterMS)*time.Millisecond, m.Model.Hedge.Budget)
		}
	}
}
