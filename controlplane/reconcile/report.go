package reconcile

import (
	"maps"
	"math/big"
	"slices"
)

// The causes.
const (
	OnlyTheirs      = "only in the export"
	OnlyOurs        = "only in the log"
	UnknownHere     = "model is not in the log"
	UnknownThere    = "model is not in the export"
	NoUsage         = "failed without usage"
	Cancelled       = "cancelled, estimated"
	Estimated       = "estimated"
	Unpriced        = "without a price"
	BYOK            = "BYOK"
	Price           = "price"
	CancelledByThem = "cancelled by the export"
)

// known says which figures of a line can be compared.
type known [numMeasures]bool

// figures writes those that are known.
func (k known) figures(s *Sum) (out Figures) {
	if k[Requests] {
		out.Requests = &s.Requests
	}
	if k[Tokens] {
		out.PromptTokens, out.CompletionTokens = &s.Prompt, &s.Completion
	}
	if k[Cost] {
		text := Decimal(&s.Cost)
		out.CostUSD = &text
	}
	return out
}

// differ reports whether something that is known of a gap is not 0.
func (k known) differ(gap *Sum) bool {
	return k[Requests] && gap.Requests != 0 || k[Tokens] && (gap.Prompt != 0 || gap.Completion != 0) || k[Cost] && gap.Cost.Sign() != 0
}

func minus(a, b *Sum) *Sum {
	gap := &Sum{Requests: a.Requests - b.Requests, Prompt: a.Prompt - b.Prompt, Completion: a.Completion - b.Completion}
	gap.Cost.Sub(&a.Cost, &b.Cost)
	return gap
}

func (c *comparison) report() *Report {
	out := &Report{Provider: c.export.Provider, Rows: []Row{}}
	models := map[string]*[2]Sum{}
	var total pair
	var sides [numMeasures][2]Sum // of what can be compared
	var all known
	c.wholeDays()
	for _, key := range sortedKeys(c.pairs) {
		p := c.pairs[key]
		k := c.known(key)
		if k == (known{}) {
			continue
		}
		out.Rows = append(out.Rows, row(key, p, k))
		if models[key.Model] == nil {
			models[key.Model] = new([2]Sum)
		}
		for m, ok := range k {
			if all[m] = all[m] || ok; ok {
				sides[m][0].add(&p.theirs)
				sides[m][1].add(&p.ours)
				models[key.Model][0].addMeasure(Measure(m), &p.theirs)
				models[key.Model][1].addMeasure(Measure(m), &p.ours)
			}
		}
	}
	for m := range numMeasures {
		total.theirs.addMeasure(m, &sides[m][0])
		total.ours.addMeasure(m, &sides[m][1])
	}
	total.listed, total.logged = true, true
	out.Total = row(Key{"total", ""}, &total, all)
	out.Total.Causes = []Cause{}
	out.gaps(models, all)
	return out
}

func (s *Sum) addMeasure(m Measure, o *Sum) {
	switch m {
	case Requests:
		s.Requests += o.Requests
	case Tokens:
		s.Prompt, s.Completion = s.Prompt+o.Prompt, s.Completion+o.Completion
	default:
		s.Cost.Add(&s.Cost, &o.Cost)
	}
}

// wholeDays compares the costs of a day that the export does not tell by model
// with all that the log has.
func (c *comparison) wholeDays() {
	for _, key := range sortedKeys(c.pairs) {
		if told, byModel := c.export.tells(Cost, key.Day); told && !byModel && key.Model != AllModels {
			all := c.at(key.Day, AllModels)
			all.listed, all.logged = true, true
			all.theirs.addMeasure(Cost, &c.pairs[key].theirs)
			all.ours.addMeasure(Cost, &c.pairs[key].ours)
		}
	}
}

func (c *comparison) known(key Key) (k known) {
	for m := range numMeasures {
		told, byModel := c.export.tells(m, key.Day)
		k[m] = told && (byModel != (key.Model == AllModels))
	}
	return k
}

func row(key Key, p *pair, k known) Row {
	gap := minus(&p.theirs, &p.ours)
	r := Row{Day: key.Day, Model: key.Model, Theirs: k.figures(&p.theirs), Ours: k.figures(&p.ours), Gap: k.figures(gap), Causes: []Cause{}}
	if !k.differ(gap) {
		return r
	}
	switch {
	case !p.logged:
		p.causes = map[string]*Sum{UnknownHere: &p.theirs}
	case !p.listed:
		p.cause(UnknownThere, &p.ours)
	case p.causes[Price] == nil && k[Tokens] && k[Cost] && gap.Prompt == 0 && gap.Completion == 0 && gap.Requests == 0:
		s := Sum{Requests: p.ours.Requests, Prompt: p.ours.Prompt, Completion: p.ours.Completion}
		s.Cost.Set(&gap.Cost)
		p.cause(Price, &s)
	}
	if p.theirs.Cancelled > 0 {
		p.cause(CancelledByThem, &Sum{Requests: p.theirs.Cancelled})
	}
	for _, name := range slices.Sorted(maps.Keys(p.causes)) {
		s := p.causes[name]
		r.Causes = append(r.Causes, Cause{name, s.Requests, s.Prompt + s.Completion, Decimal(&s.Cost)})
	}
	return r
}

// gaps adds up what differs, model by model.
func (r *Report) gaps(models map[string]*[2]Sum, all known) {
	var sum Sum
	for _, m := range models {
		gap := minus(&m[0], &m[1])
		sum.Requests += abs(gap.Requests)
		sum.Prompt += abs(gap.Prompt) + abs(gap.Completion)
		sum.Cost.Add(&sum.Cost, new(big.Rat).Abs(&gap.Cost))
	}
	if all[Requests] {
		r.GapRequests = &sum.Requests
	}
	if all[Tokens] {
		r.GapTokens = &sum.Prompt
	}
	if all[Cost] {
		text := Decimal(&sum.Cost)
		r.GapUSD = &text
	}
}

func abs(n int64) int64 { return max(n, -n) }

// Above reports whether the gap is larger than a tolerance: USD, or a fraction of
// what the export has. Without costs, tokens count, and without those requests.
func (r *Report) Above(tolerance *big.Rat, fraction bool) bool {
	gap, theirs := new(big.Rat), new(big.Rat)
	whole := func(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }
	switch t := r.Total.Theirs; {
	case r.GapUSD != nil:
		gap, theirs = usd(*r.GapUSD), usd(*t.CostUSD)
	case r.GapTokens != nil:
		gap, theirs = whole(*r.GapTokens), whole(*t.PromptTokens+*t.CompletionTokens)
	case r.GapRequests != nil:
		gap, theirs = whole(*r.GapRequests), whole(*t.Requests)
	}
	if fraction {
		tolerance = new(big.Rat).Mul(tolerance, theirs)
	}
	return gap.Cmp(tolerance) > 0
}
