package config

import (
	"math/big"
	"strings"
)

// Pricing is what a model costs: USD per million tokens, Image and Request USD
// each. The values are exact decimals without needless zeros; "" is a price
// that was not given.
type Pricing struct {
	Prompt           string
	Completion       string
	Image            string
	Request          string
	InputCacheReads  string
	InputCacheWrites string
	// InputCacheWrites1h is for what is kept for an hour, "" for twice the prompt's.
	InputCacheWrites1h string
}

func pricingKeys() []key[Pricing] {
	return []key[Pricing]{
		{"prompt", func(v value, p *Pricing) { v.price(&p.Prompt) }},
		{"completion", func(v value, p *Pricing) { v.price(&p.Completion) }},
		{"image", func(v value, p *Pricing) { v.price(&p.Image) }},
		{"request", func(v value, p *Pricing) { v.price(&p.Request) }},
		{"input_cache_reads", func(v value, p *Pricing) { v.price(&p.InputCacheReads) }},
		{"input_cache_writes", func(v value, p *Pricing) { v.price(&p.InputCacheWrites) }},
		{"input_cache_writes_1h", func(v value, p *Pricing) { v.price(&p.InputCacheWrites1h) }},
	}
}

const (
	// priceDecimals is the precision of a price: a millionth of a dollar.
	priceDecimals = 6
	// maxPrice is a dollar a token.
	maxPrice = 1_000_000
)

// price reads a decimal, as text or number. It never becomes a float.
func (v value) price(into *string) {
	const what = `a decimal >= 0 in USD per million tokens, such as "0.25"`
	x, ok := v.expanded(what)
	if !ok {
		return
	}
	exact := new(big.Rat)
	if decimalText.MatchString(x.text) {
		exact.SetString(x.text)
	} else {
		exact.SetInt64(-1)
	}
	text := exact.FloatString(priceDecimals)
	rounded, _ := new(big.Rat).SetString(text)
	switch {
	case exact.Sign() < 0:
		v.problemf("must be %s, got %s", what, v.got(x.text))
	case exact.Cmp(big.NewRat(maxPrice, 1)) > 0:
		v.problemf("must be at most %d USD per million tokens, got %s", maxPrice, v.got(x.text))
	case rounded.Cmp(exact) != 0:
		v.problemf("must have at most %d decimal places, got %s", priceDecimals, v.got(x.text))
	default:
		*into = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
}
