package spool

import "slices"

// Ranges are closed ranges of numbers above 0, sorted, neither overlapping nor
// adjacent. The zero value is empty.
type Ranges []Span

// Span is all numbers from First to Last.
type Span struct{ First, Last uint64 }

// Add takes in a range.
func (r *Ranges) Add(first, last uint64) {
	if n := len(*r); n > 0 && (*r)[n-1].Last+1 == first { // as most are
		(*r)[n-1].Last = last
		return
	}
	i := r.search(first - 1) // adjacent ones become one
	j := i
	for ; j < len(*r) && (*r)[j].First <= last+1; j++ {
		first, last = min(first, (*r)[j].First), max(last, (*r)[j].Last)
	}
	*r = slices.Replace(*r, i, j, Span{first, last})
}

// Remove takes out a range.
func (r *Ranges) Remove(first, last uint64) {
	i := r.search(first)
	j, rest := i, []Span(nil)
	for ; j < len(*r) && (*r)[j].First <= last; j++ {
		if s := (*r)[j]; s.First < first {
			rest = append(rest, Span{s.First, first - 1})
		}
		if s := (*r)[j]; s.Last > last {
			rest = append(rest, Span{last + 1, s.Last})
		}
	}
	*r = slices.Replace(*r, i, j, rest...)
}

// search returns the index of the first span that ends at n or behind it.
func (r *Ranges) search(n uint64) int {
	i, _ := slices.BinarySearchFunc(*r, n, func(s Span, n uint64) int {
		if s.Last < n {
			return -1
		}
		return 1
	})
	return i
}

// Has reports whether the set contains all of a range.
func (r *Ranges) Has(first, last uint64) bool {
	i := r.search(first)
	return i < len(*r) && (*r)[i].First <= first && last <= (*r)[i].Last
}

// Within returns the part of a range that the set contains.
func (r *Ranges) Within(first, last uint64) (out Ranges) {
	for _, s := range (*r)[r.search(first):] {
		if s.First > last {
			break
		}
		out = append(out, Span{max(s.First, first), min(s.Last, last)})
	}
	return out
}

// Without returns what is not in o.
func (r *Ranges) Without(o Ranges) Ranges {
	out := slices.Clone(*r)
	for _, s := range o {
		out.Remove(s.First, s.Last)
	}
	return out
}

// Lowest returns the lowest number, 0 if there is none.
func (r *Ranges) Lowest() uint64 {
	if len(*r) == 0 {
		return 0
	}
	return (*r)[0].First
}

// Highest returns the highest number, 0 if there is none.
func (r *Ranges) Highest() uint64 {
	if len(*r) == 0 {
		return 0
	}
	return (*r)[len(*r)-1].Last
}

// Count is how many numbers there are.
func (r *Ranges) Count() (n uint64) {
	for _, s := range *r {
		n += s.Last - s.First + 1
	}
	return n
}
