package reconcile

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

// Figures are a side of a line, or the gap between both. What an export does not
// tell is nil.
type Figures struct {
	Requests         *int64  `json:"requests"`
	PromptTokens     *int64  `json:"prompt_tokens"`
	CompletionTokens *int64  `json:"completion_tokens"`
	CostUSD          *string `json:"cost_usd"`
}

// Row is one line of the comparison. Gap is theirs less ours.
type Row struct {
	Day    string  `json:"day"`
	Model  string  `json:"model"`
	Theirs Figures `json:"theirs"`
	Ours   Figures `json:"ours"`
	Gap    Figures `json:"gap"`
	// Causes are what is known to make the sides differ, empty without a gap.
	Causes []Cause `json:"causes"`
}

// Cause is something that explains a gap, or a part of it.
type Cause struct {
	Cause string `json:"cause"`
	// Requests and Tokens are how many are concerned, CostUSD what the log has for
	// them; of "only in the export" what the export has.
	Requests int64  `json:"requests"`
	Tokens   int64  `json:"tokens"`
	CostUSD  string `json:"cost_usd"`
}

// Report is the comparison.
type Report struct {
	Provider string `json:"provider"`
	Rows     []Row  `json:"rows"`
	Total    Row    `json:"total"`
	// GapUSD adds up the gaps of the models, whichever their sign: those of days
	// are not, since both sides may count a request at midnight to different days.
	// Without costs GapTokens is what there is, without tokens GapRequests.
	GapUSD      *string `json:"gap_usd"`
	GapTokens   *int64  `json:"gap_tokens"`
	GapRequests *int64  `json:"gap_requests"`
}

// Billed is a request of the log that an export lists, too.
type Billed = adminapi.BilledRequest

// pair is a line while it is summed up.
type pair struct {
	theirs, ours Sum
	// listed: the export has the model on this day; logged: the log has it.
	listed, logged bool
	causes         map[string]*Sum
}

func (p *pair) cause(name string, s *Sum) {
	if p.causes == nil {
		p.causes = map[string]*Sum{}
	}
	if p.causes[name] == nil {
		p.causes[name] = new(Sum)
	}
	p.causes[name].add(s)
}

// comparison is one that is being made.
type comparison struct {
	export *Export
	line   map[string]string
	pairs  map[Key]*pair
}

// Compare compares an export with the log's totals of the days from first to
// before end. billed are the requests of its charges that the log has, by the
// provider's id.
func Compare(e *Export, ours []adminapi.BillingRow, billed map[string]Billed, dayOf func(Billed) string, first, end string) *Report {
	theirNames, ourNames := map[string]bool{}, map[string]bool{}
	for key := range e.Lines {
		theirNames[key.Model] = true
	}
	families := map[string]bool{}
	for name := range theirNames {
		families[family(name)] = true
	}
	// the gateway's name of a model, if only that is in the export
	nameOf := func(upstream, model string) string {
		if !families[family(upstream)] && families[family(model)] {
			return model
		}
		return cmp.Or(upstream, model)
	}
	for i := range ours {
		ourNames[nameOf(ours[i].UpstreamModel, ours[i].Model)] = true
	}
	c := comparison{e, names(theirNames, ourNames), map[Key]*pair{}}
	for key, sum := range e.Lines {
		if first <= key.Day && key.Day < end {
			p := c.at(key.Day, key.Model)
			p.listed = true
			p.theirs.add(sum)
		}
	}
	for i := range ours {
		c.log(c.at(ours[i].Day, nameOf(ours[i].UpstreamModel, ours[i].Model)), &ours[i])
	}
	if e.Charges != nil {
		c.match(billed, func(b Billed) *pair { return c.at(dayOf(b), nameOf(b.UpstreamModel, b.Model)) }, first, end)
	}
	return c.report()
}

func (c *comparison) at(day, model string) *pair {
	key := Key{day, cmp.Or(c.line[model], model)}
	if c.pairs[key] == nil {
		c.pairs[key] = new(pair)
	}
	return c.pairs[key]
}

// log takes in a total of the log.
func (c *comparison) log(p *pair, r *adminapi.BillingRow) {
	p.logged = true
	var s Sum
	s.Requests, s.Prompt, s.Completion = r.RequestCount, r.PromptTokens, r.CompletionTokens
	s.Cost.Set(usd(r.CostUSD))
	switch r.UsageSource {
	case "provider", "estimated":
	default: // it may be that the provider counts it all the same
		p.cause(NoUsage, &s)
		return
	}
	p.ours.add(&s)
	if r.UsageSource == "estimated" && r.Outcome == "client_gone" {
		p.cause(Cancelled, &s)
	} else if r.UsageSource == "estimated" {
		p.cause(Estimated, &s)
	}
	if r.CostSource == "unknown" || r.CostSource == "partial" {
		p.cause(Unpriced, &s)
	}
	if r.BYOK {
		p.cause(BYOK, &s)
	}
	if told := usd(r.UpstreamCostUSD); r.Told && told.Cmp(&s.Cost) != 0 {
		s.Cost.Sub(told, &s.Cost)
		p.cause(Price, &s)
	}
}

// match finds the requests that one side alone has.
func (c *comparison) match(billed map[string]Billed, ofLog func(Billed) *pair, first, end string) {
	both := map[*pair]*Sum{}
	for id, charge := range c.export.Charges {
		if b, ok := billed[id]; ok {
			p := ofLog(b)
			if both[p] == nil {
				both[p] = new(Sum)
			}
			s := Sum{Requests: 1, Prompt: b.PromptTokens, Completion: b.CompletionTokens}
			s.Cost.Set(usd(b.CostUSD))
			if b.UsageSource == "provider" || b.UsageSource == "estimated" {
				both[p].add(&s)
			}
		} else if first <= charge.Key.Day && charge.Key.Day < end {
			c.at(charge.Key.Day, charge.Key.Model).cause(OnlyTheirs, &charge.Used)
		}
	}
	for _, p := range c.pairs {
		left := Sum{Requests: p.ours.Requests, Prompt: p.ours.Prompt, Completion: p.ours.Completion}
		left.Cost.Set(&p.ours.Cost)
		if s := both[p]; s != nil {
			left.Requests, left.Prompt, left.Completion = left.Requests-s.Requests, left.Prompt-s.Prompt, left.Completion-s.Completion
			left.Cost.Sub(&left.Cost, &s.Cost)
		}
		if left.Requests > 0 {
			p.cause(OnlyOurs, &left)
		}
	}
}

func usd(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return new(big.Rat)
	}
	return r
}

func sortedKeys(m map[Key]*pair) []Key {
	return slices.SortedFunc(maps.Keys(m), func(a, b Key) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Model, b.Model)) })
}
