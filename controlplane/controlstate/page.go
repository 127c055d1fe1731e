package controlstate

import (
	"fmt"
	"math"
)

// page returns the parameters of a listing: before (exclusive) and limit.
func page(limit int, before uint64) ([]any, error) {
	if limit < 1 || limit > MaxPage {
		return nil, fmt.Errorf("%w: limit %d, must be 1 to %d", ErrInvalid, limit, MaxPage)
	}
	if before == 0 || before > math.MaxInt64 {
		before = math.MaxInt64
	}
	return []any{int64(before), limit}, nil
}
