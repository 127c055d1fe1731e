package requestlog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/shared/price"
)

// RepriceQuery asks for the costs of a period by other prices.
type RepriceQuery struct {
	// Since and Until bound the time of the requests in whole seconds: from, and
	// before.
	Since, Until time.Time
	// After is the Next of the batch before, "" for the first.
	After string
	// Prices are the lists by endpoint, each for its period. Rows of endpoints
	// without one stay as they are.
	Prices map[string][]Prices
	// DryRun changes nothing.
	DryRun bool
	// Now is the time that is noted in the rows.
	Now time.Time
}

// Prices is a list and the time from which it is in force, until that of the
// next; the zero time is the beginning.
type Prices struct {
	From time.Time
	List *price.List
}

// Repriced is what became of a batch.
type Repriced struct {
	// Next is where the next batch begins, "" after the last.
	Next string
	// Rows were looked at; Unlisted of them are of endpoints without prices.
	Rows, Unlisted, Changed int64
	// Before and After are the costs of the rows that changed, in USD.
	Before, After string
}

// at returns the list that is in force, nil for none.
func (q *RepriceQuery) at(endpoint string, unix int64) *price.List {
	for _, p := range slices.Backward(q.Prices[endpoint]) {
		if p.From.IsZero() || unix >= p.From.Unix() {
			return p.List
		}
	}
	return nil
}

// sheet is a price.Entry for SQL.
type sheet struct {
	Endpoint string `json:"e"`
	From     int64  `json:"f"`
	Until    *int64 `json:"u"`
	Tier     string `json:"t"`
	// Named are the tiers that Others does not mean, between commas.
	Others bool   `json:"o"`
	Named  string `json:"n"`
	Min    int64  `json:"lo"`
	Max    *int64 `json:"hi"`
	// Unknown is the set of cells without prices.
	Unknown  uint32 `json:"k"`
	Priced   bool   `json:"p"`
	Free     bool   `json:"fr"`
	Upstream bool   `json:"up"`
	// Small prices times usual counts are sums that a bigint holds.
	Small   bool   `json:"s"`
	Version string `json:"v"`

	cells [price.NumCells]int64
}

// MarshalJSON adds the prices as c0, c1, ...
func (s *sheet) MarshalJSON() ([]byte, error) {
	type plain sheet
	b, err := json.Marshal((*plain)(s))
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-1]
	for c, pico := range s.cells {
		b = fmt.Appendf(b, `,"c%d":%d`, c, pico)
	}
	return append(b, '}'), nil
}

// smallPrice is the largest price in pico-dollars of a small sheet: 2^21 tokens,
// the limit of repriceSQL, cost less than 2^62.
const smallPrice = 1 << 40

// sheets lays out all lists.
func (q *RepriceQuery) sheets() ([]byte, error) {
	list := []*sheet{}
	for endpoint, lists := range q.Prices {
		for i := range lists {
			from, until := int64(0), int64(0)
			if !lists[i].From.IsZero() {
				from = lists[i].From.Unix()
			}
			if i+1 < len(lists) {
				until = lists[i+1].From.Unix()
			}
			for _, e := range lists[i].List.Entries() {
				if s := sheetOf(e, from, until); s != nil {
					s.Endpoint, s.Upstream = endpoint, lists[i].List.Upstream
					s.Named = "," + strings.Join(lists[i].List.Tiers(), ",") + ","
					list = append(list, s)
				}
			}
		}
	}
	return json.Marshal(list)
}

// sheetOf cuts an entry to the time in which its list is in force, 0 for no
// bound; nil if nothing is left.
func sheetOf(e price.Entry, from, until int64) *sheet {
	s := &sheet{
		From: max(e.From, from), Tier: e.Tier, Others: e.Others, Min: e.MinPrompt,
		Unknown: uint32(e.Unknown), Priced: e.Priced(), Free: e.Free(), Version: e.Version, cells: e.Price, Small: slices.Max(e.Price[:]) <= smallPrice,
	}
	if e.MaxPrompt > 0 {
		s.Max = &e.MaxPrompt
	}
	if until == 0 || e.Until > 0 && e.Until < until {
		until = e.Until
	}
	if until > 0 {
		if until <= s.From {
			return nil
		}
		s.Until = &until
	}
	return s
}
