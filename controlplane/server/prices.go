package server

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	// repriceTurn is how long a call goes on with batches.
	repriceTurn = 10 * time.Second
	// repriceTime bounds it: a batch takes its time.
	repriceTime = 5 * time.Minute
	// pricePages bounds the releases that are searched for old prices.
	pricePages = 20
)

func (s *Server) prices(_ context.Context, in adminapi.OfModel) ([]adminapi.Price, error) {
	models, err := s.selected(in.Model)
	if err != nil {
		return nil, err
	}
	var out []adminapi.Price
	for i := range models {
		for j := range models[i].Endpoints {
			e := &models[i].Endpoints[j]
			list, err := price.New(e.Pricing)
			if err != nil {
				return nil, fmt.Errorf("endpoint %s: %w", e.ID, err)
			}
			for _, entry := range list.Entries() {
				shown := showPrice(entry)
				shown.Model, shown.Endpoint, shown.Upstream = models[i].ID, e.ID, list.Upstream
				out = append(out, shown)
			}
		}
	}
	return out, nil
}

func showPrice(e price.Entry) adminapi.Price {
	out := adminapi.Price{
		Version: e.Version, From: bound(e.From), Until: bound(e.Until), ServiceTier: e.Tier, MinPrompt: e.MinPrompt, Prices: map[string]string{},
	}
	for c := range price.NumCells {
		scale := int64(1_000_000)
		if c.Each() {
			scale = 1
		}
		if e.Unknown.Has(c) {
			out.Unknown = append(out.Unknown, c.Name())
		}
		if e.Given.Has(c) || e.Price[c] > 0 {
			usd := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(e.Price[c]), big.NewInt(scale)), big.NewInt(1_000_000_000_000)).FloatString(12)
			out.Prices[c.Name()] = strings.TrimSuffix(strings.TrimRight(usd, "0"), ".")
		}
	}
	return out
}

// bound is nil for no bound.
func bound(unix int64) *time.Time {
	if unix == 0 {
		return nil
	}
	at := time.Unix(unix, 0).UTC()
	return &at
}

// reprice goes through batches for a while. Each of them is a transaction: a
// call that is lost can be repeated, and changes nothing twice.
func (s *Server) reprice(ctx context.Context, in adminapi.Repricing) (out adminapi.Repriced, err error) {
	if s.o.LogStore == nil {
		return out, problemf(http.StatusServiceUnavailable, "the request log is not configured")
	}
	if in.Prices = cmp.Or(in.Prices, "current"); in.Prices != "current" && in.Prices != "recorded" {
		return out, badRequest("prices must be current or recorded, got %q", in.Prices)
	}
	q := requestlog.RepriceQuery{After: in.After, DryRun: in.DryRun, Now: time.Now().UTC()}
	if q.Since, q.Until, err = period(in.Since, in.Until); err != nil {
		return out, err
	}
	ctx, cancel := context.WithTimeout(lasting(ctx), repriceTime)
	defer cancel()
	if q.Prices, err = s.pricesFor(ctx, in.Prices, q.Since, q.Until); err != nil {
		return out, err
	}
	if !in.DryRun {
		db, err := s.o.Publisher.State()
		if err != nil {
			return out, err
		}
		target := fmt.Sprintf("%s to %s, %s prices", q.Since.UTC().Format(time.RFC3339), q.Until.UTC().Format(time.RFC3339), in.Prices)
		if in.After != "" {
			target += ", from " + in.After
		}
		if err := db.Audit(ctx, entry(in.ByAuthor, in.Reason, "prices.reprice", target)); err != nil {
			return out, err
		}
	}
	return s.repriceTurn(ctx, q)
}

func (s *Server) repriceTurn(ctx context.Context, q requestlog.RepriceQuery) (out adminapi.Repriced, err error) {
	before, after := new(big.Rat), new(big.Rat)
	for end := time.Now().Add(repriceTurn); ; {
		done, err := s.o.LogStore.Reprice(ctx, q)
		if err != nil {
			return out, problemf(http.StatusServiceUnavailable, "%s; go on with after=%q", err, q.After)
		}
		out.Rows, out.Unlisted, out.Changed = out.Rows+done.Rows, out.Unlisted+done.Unlisted, out.Changed+done.Changed
		addUSD(before, done.Before)
		addUSD(after, done.After)
		if q.After = done.Next; q.After == "" || time.Now().After(end) {
			break
		}
	}
	out.Next, out.Before, out.After = q.After, exact(before), exact(after)
	return out, nil
}

func addUSD(sum *big.Rat, text string) {
	if n, ok := new(big.Rat).SetString(text); ok {
		sum.Add(sum, n)
	}
}

func exact(sum *big.Rat) string {
	return strings.TrimSuffix(strings.TrimRight(sum.FloatString(12), "0"), ".")
}

// period reads the bounds, in whole seconds.
func period(since, until string) (from, to time.Time, err error) {
	if since == "" {
		return from, to, badRequest("since: required: a time such as 2030-01-31T00:00:00Z, a date or a span back such as 90m or 7d")
	}
	if from, err = moments("since", since, time.UTC); err != nil {
		return from, to, err
	}
	if to, err = moments("until", until, time.UTC); err != nil {
		return from, to, err
	}
	if to.IsZero() {
		to = time.Now().Add(time.Second)
	}
	from, to = from.Truncate(time.Second), to.Truncate(time.Second)
	if !from.Before(to) {
		return from, to, badRequest("until must be after since")
	}
	return from, to, nil
}

// pricesFor returns the lists by endpoint.
func (s *Server) pricesFor(ctx context.Context, which string, since, until time.Time) (map[string][]requestlog.Prices, error) {
	current, err := s.current()
	if err != nil {
		return nil, err
	}
	out := map[string][]requestlog.Prices{}
	if which != "recorded" {
		return out, addPrices(out, &current.Snapshot, time.Time{})
	}
	numbers, err := s.releasesOf(ctx, since, until)
	if err != nil {
		return nil, err
	}
	for i, number := range numbers {
		r, err := s.storedRelease(ctx, number)
		if err != nil {
			return nil, err
		}
		from := time.Unix(r.Time, 0)
		if i == 0 {
			from = time.Time{} // the oldest stands for what was before it
		}
		if err := addPrices(out, &r.Snapshot, from); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// releasesOf returns the releases that were in service in a period, oldest first.
func (s *Server) releasesOf(ctx context.Context, since, until time.Time) ([]uint64, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	before := uint64(0)
	for range pricePages {
		found, err := db.Releases(ctx, 1000, before)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if before = r.Number; r.Time.Before(until) {
				numbers = append(numbers, r.Number)
			}
			if !r.Time.After(since) {
				slices.Reverse(numbers)
				return numbers, nil
			}
		}
		if len(found) < 1000 {
			break
		}
	}
	if len(numbers) == 0 && before > 0 {
		numbers = append(numbers, before) // the oldest that there is
	}
	slices.Reverse(numbers)
	return numbers, nil
}

// addPrices adds the lists of a release where they differ from those before.
func addPrices(to map[string][]requestlog.Prices, s *wire.Snapshot, from time.Time) error {
	for i := range s.Models {
		for j := range s.Models[i].Endpoints {
			e := &s.Models[i].Endpoints[j]
			list, err := price.New(e.Pricing)
			if err != nil {
				return fmt.Errorf("endpoint %s: %w", e.ID, err)
			}
			have := to[e.ID]
			if n := len(have); n > 0 && slices.EqualFunc(have[n-1].List.Entries(), list.Entries(), sameEntry) {
				continue
			}
			begin := from
			if len(have) == 0 {
				begin = time.Time{}
			}
			to[e.ID] = append(have, requestlog.Prices{From: begin, List: list})
		}
	}
	return nil
}

func sameEntry(a, b price.Entry) bool {
	return a.Version == b.Version && a.From == b.From && a.Until == b.Until && a.Tier == b.Tier && a.MinPrompt == b.MinPrompt
}
