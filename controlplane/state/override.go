package state

import (
	"context"
	"fmt"
)

// Overrides returns the weights that operators have set, by endpoint id. They
// change with Commit alone.
func (s *State) Overrides(ctx context.Context) (map[string]float64, error) {
	weights := map[string]float64{}
	err := s.read(ctx, statement{"SELECT endpoint, weight FROM control_overrides", nil}, func(r row) error {
		var endpoint string
		var weight float64
		if err := r.Scan(&endpoint, &weight); err != nil {
			return err
		}
		weights[endpoint] = weight
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read overrides: %w", err)
	}
	return weights, nil
}
