// Package price turns price lists and what was used into exact costs. A list is
// resolved once, into a sheet of prices for each period, tier of service and
// size of prompt that its overrides tell apart: pricing a request is a look-up
// and a sum of integers.
package price

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// maxSheets bounds the sheets of a list.
const maxSheets = 1024

// List is a price list, ready for use. It does not change.
type List struct {
	// Upstream is set when the upstream's own figure counts where there is one.
	Upstream bool
	// periods begin at these seconds since 1970; the first at the beginning of time.
	periods []int64
	// tiers are the tiers of service that have prices of their own; the first is
	// "", for all others.
	tiers []string
	// prompts are the smallest prompts with prices of their own; the first is 0.
	prompts []int64
	sheets  []Sheet
}

// New resolves a list.
func New(p wire.Pricing) (*List, error) {
	l := &List{Upstream: p.Cost == wire.CostUpstream, periods: []int64{0}, tiers: []string{""}, prompts: []int64{0}}
	for i := range p.Overrides {
		o := &p.Overrides[i]
		l.periods = append(l.periods, o.From, o.Until)
		l.tiers = append(l.tiers, o.ServiceTier)
		l.prompts = append(l.prompts, o.MinPromptTokens)
	}
	for _, s := range []*[]int64{&l.periods, &l.prompts} {
		slices.Sort(*s)
		*s = slices.Compact(*s)
	}
	slices.Sort(l.tiers)
	l.tiers = slices.Compact(l.tiers)
	if n := len(l.periods) * len(l.tiers) * len(l.prompts); n > maxSheets {
		return nil, fmt.Errorf("prices: the overrides tell %d periods, tiers and sizes of prompts apart, at most %d are possible", n, maxSheets)
	}
	for _, from := range l.periods {
		begin := len(l.sheets)
		for _, tier := range l.tiers {
			for _, prompt := range l.prompts {
				s, err := resolve(&p, from, tier, prompt)
				if err != nil {
					return nil, fmt.Errorf("price of %w", err)
				}
				l.sheets = append(l.sheets, s)
			}
		}
		l.name(l.sheets[begin:])
	}
	return l, nil
}

// resolve applies the overrides that hold.
func resolve(p *wire.Pricing, at int64, tier string, prompt int64) (s Sheet, err error) {
	if err = s.replace(p); err != nil {
		return s, err
	}
	for i := range p.Overrides {
		o := &p.Overrides[i]
		if at < o.From || o.Until > 0 && at >= o.Until || prompt < o.MinPromptTokens || o.ServiceTier != "" && o.ServiceTier != tier {
			continue
		}
		if err = s.replace(&o.Prices); err == nil {
			err = s.multiply(o.Multiplier)
		}
		if err != nil {
			return s, fmt.Errorf("%w (override %d)", err, i+1)
		}
	}
	s.complete()
	return s, nil
}

// name gives the sheets of a period their version.
func (l *List) name(sheets []Sheet) {
	h := sha256.New()
	_, _ = fmt.Fprint(h, l.Upstream, l.tiers, l.prompts)
	for i := range sheets {
		_, _ = fmt.Fprint(h, sheets[i].Price, sheets[i].Unknown, sheets[i].Given)
	}
	version := hex.EncodeToString(h.Sum(nil)[:6])
	for i := range sheets {
		sheets[i].Version = version
	}
}

// At returns the prices for a request of a time, tier of service and size of
// prompt in tokens.
func (l *List) At(unix int64, tier string, prompt int64) *Sheet {
	period, t, size := len(l.periods)-1, 0, len(l.prompts)-1
	for period > 0 && unix < l.periods[period] {
		period--
	}
	for i := range l.tiers {
		if l.tiers[i] == tier {
			t = i
		}
	}
	for size > 0 && prompt < l.prompts[size] {
		size--
	}
	return &l.sheets[(period*len(l.tiers)+t)*len(l.prompts)+size]
}

// Now returns the prices of the smallest prompts at a time.
func (l *List) Now(t time.Time) *Sheet { return l.At(t.Unix(), "", 0) }

// Entry is a sheet with the conditions under which it holds.
type Entry struct {
	*Sheet
	// From and Until bound the time in seconds since 1970: from, and before; 0 is
	// no bound.
	From, Until int64
	Tier        string
	// Others: the sheet also holds for all tiers that no entry names.
	Others bool
	// MinPrompt and MaxPrompt bound the prompt: from, and before; 0 is no bound.
	MinPrompt, MaxPrompt int64
}

// Entries returns all sheets, by period, tier and size of prompt.
func (l *List) Entries() []Entry {
	list := make([]Entry, 0, len(l.sheets))
	for i := range l.sheets {
		size, rest := i%len(l.prompts), i/len(l.prompts)
		tier, period := rest%len(l.tiers), rest/len(l.tiers)
		e := Entry{Sheet: &l.sheets[i], From: l.periods[period], Tier: l.tiers[tier], Others: tier == 0, MinPrompt: l.prompts[size]}
		if period+1 < len(l.periods) {
			e.Until = l.periods[period+1]
		}
		if size+1 < len(l.prompts) {
			e.MaxPrompt = l.prompts[size+1]
		}
		list = append(list, e)
	}
	return list
}

// Tiers returns the tiers of service that have prices of their own.
func (l *List) Tiers() []string { return l.tiers[1:] }
