// Package reconcile compares what a provider says was used with the request log:
// by day and model, in requests, tokens and money. Money is never a float.
package reconcile

import "math/big"

// Measure is what an export may tell.
type Measure int

// The measures.
const (
	Requests Measure = iota
	Tokens
	Cost
	numMeasures
)

// Key is a line of the comparison.
type Key struct{ Day, Model string }

// AllModels is the model of costs that an export does not tell by model.
const AllModels = "(all models)"

// Sum is a total of requests.
type Sum struct {
	Requests, Prompt, Completion int64
	Cost                         big.Rat
	// BYOK is the part of Cost that another provider bills; Cancelled are the
	// requests that the export calls so.
	BYOK      big.Rat
	Cancelled int64
}

func (s *Sum) add(o *Sum) {
	s.Requests, s.Prompt, s.Completion, s.Cancelled = s.Requests+o.Requests, s.Prompt+o.Prompt, s.Completion+o.Completion, s.Cancelled+o.Cancelled
	s.Cost.Add(&s.Cost, &o.Cost)
	s.BYOK.Add(&s.BYOK, &o.BYOK)
}

// Charge is one request of an export that lists them.
type Charge struct {
	Key  Key
	Used Sum
}

// Export is a file, or several, of one provider.
type Export struct {
	// Provider is who the form says it is, "" for the generic one.
	Provider string
	// Lines are the totals.
	Lines map[Key]*Sum
	// Charges are the single requests by the provider's id, if the form has them.
	Charges map[string]Charge
	covered [numMeasures][]cover
}

// cover is the days of which a file tells a measure.
type cover struct {
	first, last string
	// whole: by day only, not by model
	whole bool
}

// Days returns the first and the last day.
func (e *Export) Days() (first, last string) {
	for _, list := range e.covered {
		for _, c := range list {
			if first == "" || c.first < first {
				first = c.first
			}
			last = max(last, c.last)
		}
	}
	return first, last
}

// tells reports whether a measure is known of a day, and whether by model.
func (e *Export) tells(m Measure, day string) (known, byModel bool) {
	for _, c := range e.covered[m] {
		if c.first <= day && day <= c.last {
			known, byModel = true, byModel || !c.whole
		}
	}
	return known, byModel
}

// Decimal writes an amount exactly.
func Decimal(r *big.Rat) string {
	n, _ := r.FloatPrec()
	return r.FloatString(n)
}
