package controlstate

import (
	"context"
	"fmt"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/wire"
)

// Overrides are what operators have set at run time.
type Overrides struct {
	// Weights are by endpoint id, Disabled the endpoints that are out of service.
	Weights  map[string]float64
	Disabled map[string]bool
	// Selections are policies and affinities by model id.
	Selections map[string]wire.Selection
}

// Overrides returns what operators have set. It changes with Commit alone.
func (s *State) Overrides(ctx context.Context) (Overrides, error) {
	const (
		weight = iota
		disabled
		selection
	)
	// one statement, so that all are of one release
	const query = `SELECT 0 AS what, endpoint AS id, weight, '' AS policy, '' AS affinity FROM control_overrides
		UNION ALL SELECT 1 AS what, endpoint AS id, 0 AS weight, '' AS policy, '' AS affinity FROM control_disabled
		UNION ALL SELECT 2 AS what, model AS id, 0 AS weight, policy, affinity FROM control_policies`
	out := Overrides{Weights: map[string]float64{}, Disabled: map[string]bool{}, Selections: map[string]wire.Selection{}}
	err := s.read(ctx, database.SQL(query), func(r database.Row) error {
		var what int64
		var id string
		var w float64
		var chosen wire.Selection
		if err := r.Scan(&what, &id, &w, &chosen.Policy, &chosen.Affinity); err != nil {
			return err
		}
		switch what {
		case weight:
			out.Weights[id] = w
		case disabled:
			out.Disabled[id] = true
		case selection:
			out.Selections[id] = chosen
		}
		return nil
	})
	if err != nil {
		return Overrides{}, fmt.Errorf("read overrides: %w", err)
	}
	return out, nil
}
