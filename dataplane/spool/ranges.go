package spool

import "slices"

// ranges are closed ranges of numbers, sorted, neither overlapping nor
// adjacent.
type ranges []span

type span struct{ first, last uint64 }

// add takes in a range.
func (r *ranges) add(first, last uint64) {
	i, _ := slices.BinarySearchFunc(*r, first, func(s span, n uint64) int {
		if s.last+1 < n {
			return -1
		}
		return 1
	})
	j := i
	for ; j < len(*r) && (*r)[j].first <= last+1; j++ {
		first, last = min(first, (*r)[j].first), max(last, (*r)[j].last)
	}
	*r = slices.Replace(*r, i, j, span{first, last})
}

// has reports whether all of a range is there.
func (r ranges) has(first, last uint64) bool {
	for _, s := range r {
		if s.first <= first && last <= s.last {
			return true
		}
	}
	return false
}

// lowest returns the first number from n on that is not there.
func (r ranges) lowest(n uint64) uint64 {
	for _, s := range r {
		if s.first <= n && n <= s.last {
			return s.last + 1
		}
	}
	return n
}
