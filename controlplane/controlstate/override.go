package controlstate

import (
	"context"
	"fmt"

	"github.com/hybridinference/gateway/controlplane/database"
)

// Overrides returns what operators have set at run time: weights by endpoint
// id, and the endpoints that are out of service. They change with Commit alone.
func (s *State) Overrides(ctx context.Context) (weights map[string]float64, disabled map[string]bool, err error) {
	// one statement, so that both are of one release
	const query = `SELECT endpoint, weight, 0 AS off FROM control_overrides UNION ALL SELECT endpoint, 0 AS weight, 1 AS off FROM control_disabled`
	weights, disabled = map[string]float64{}, map[string]bool{}
	err = s.read(ctx, database.SQL(query), func(r database.Row) error {
		var endpoint string
		var weight float64
		var off int64
		if err := r.Scan(&endpoint, &weight, &off); err != nil {
			return err
		}
		if off == 1 {
			disabled[endpoint] = true
		} else {
			weights[endpoint] = weight
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read overrides: %w", err)
	}
	return weights, disabled, nil
}
