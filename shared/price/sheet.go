package price

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/shared/wire"
)

// Sheet is the prices that hold for one tier of service, size of prompt and
// period, in pico-dollars (1e-12 USD): a price of at most six decimals in USD
// per million tokens is a whole number of them a token, so that costs are exact
// sums of integers.
type Sheet struct {
	Price [NumCells]int64
	// Unknown are the cells without a price of their own: 0 or that of another
	// cell stands in.
	Unknown CellSet
	// Given are the cells that the list has a price for.
	Given CellSet
	// Version is a name for the prices of the period: what costs the same has the
	// same.
	Version string
}

// CellSet is a set of cells.
type CellSet uint32

// Has reports whether a cell is in the set.
func (s CellSet) Has(c Cell) bool { return s&(1<<c) != 0 }

func (s *CellSet) add(c Cell) { *s |= 1 << c }

func (s *CellSet) remove(c Cell) { *s &^= 1 << c }

// Priced reports whether the sheet has a price for tokens at all.
func (s *Sheet) Priced() bool { return s.Given.Has(Prompt) || s.Given.Has(Completion) }

// Free reports whether all prices that the list has are 0.
func (s *Sheet) Free() bool { return s.Priced() && s.Price == [NumCells]int64{} }

// PerToken is the price of a token of the prompt and one of the completion
// together, for comparing: infinite where the list has none.
func (s *Sheet) PerToken() float64 {
	if !s.Priced() {
		return math.Inf(1)
	}
	return float64(s.Price[Prompt]) + float64(s.Price[Completion])
}

// replace takes over the cells that p has.
func (s *Sheet) replace(p *wire.Pricing) error {
	for c, in := range cells() {
		text := *in.text(p)
		if slices.Contains(p.Unknown, in.name) {
			s.Given.remove(Cell(c))
			s.Unknown.add(Cell(c))
			s.Price[c] = 0
		}
		if text == "" {
			continue
		}
		decimals := 6
		if in.each {
			decimals = 12
		}
		n, err := scaled(text, decimals)
		if err != nil {
			return fmt.Errorf("%s: %w", in.name, err)
		}
		s.Price[c] = n
		s.Given.add(Cell(c))
		s.Unknown.remove(Cell(c))
	}
	return nil
}

// multiply multiplies all prices. Those that would not be whole pico-dollars are
// an error: nothing is rounded.
func (s *Sheet) multiply(by string) error {
	if by == "" {
		return nil
	}
	factor, err := scaled(by, 6)
	if err != nil {
		return fmt.Errorf("multiplier: %w", err)
	}
	for c, in := range cells() {
		product := new(big.Int).Mul(big.NewInt(s.Price[c]), big.NewInt(factor))
		quotient, rest := product.QuoRem(product, big.NewInt(1_000_000), new(big.Int))
		if rest.Sign() != 0 || !quotient.IsInt64() {
			return fmt.Errorf("%s: times %s it has more than six decimals: give the price itself", in.name, by)
		}
		s.Price[c] = quotient.Int64()
	}
	return nil
}

// complete fills in the cells that the list has no price for.
func (s *Sheet) complete() {
	for c, in := range cells() {
		cell := Cell(c)
		if s.Given.Has(cell) {
			continue
		}
		null := s.Unknown.Has(cell)
		if in.times > 0 {
			s.Price[c] = times(in.times, s.Price[in.standIn])
		}
		switch free := in.times > 0 && s.Price[c] == 0 && !s.Unknown.Has(in.standIn); {
		case null:
		case free: // as what it is a part of
		case !in.sure, in.times > 0 && s.Unknown.Has(in.standIn):
			s.Unknown.add(cell)
		}
	}
}

// scaled returns text * 10^decimals.
func scaled(text string, decimals int) (int64, error) {
	units, frac, _ := strings.Cut(text, ".")
	frac = strings.TrimRight(frac, "0")
	if len(frac) > decimals {
		return 0, fmt.Errorf("%q has more than %d decimals", text, decimals)
	}
	n, err := strconv.ParseInt(units+frac+strings.Repeat("0", decimals-len(frac)), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a price", text)
	}
	return n, nil
}
