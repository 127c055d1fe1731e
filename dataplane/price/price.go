// Package price turns prices and token counts into exact costs.
package price

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/wire"
)

// Price is what a token costs, in pico-dollars (1e-12 USD): a price of at most
// six decimals in USD per million tokens is a whole number of them, so that
// costs are exact sums of integers.
type Price struct {
	Prompt, Completion, CacheRead, CacheWrite int64
	// CacheWrite1h is the price of what is kept for an hour.
	CacheWrite1h int64
	// Request is the price of one request, Image that of one image.
	Request, Image int64
	// hasRead and hasWrite tell free from not priced: cached tokens without a
	// price of their own cost what others do.
	hasRead, hasWrite bool
}

// New reads the prices of a model or an endpoint.
func New(p wire.Pricing) (Price, error) {
	out := Price{hasRead: p.CacheRead != "", hasWrite: p.CacheWrite != ""}
	for _, f := range []struct {
		name, text string
		to         *int64
		scale      int
	}{
		{"prompt", p.Prompt, &out.Prompt, 6},
		{"completion", p.Completion, &out.Completion, 6},
		{"cache_read", p.CacheRead, &out.CacheRead, 6},
		{"cache_write", p.CacheWrite, &out.CacheWrite, 6},
		{"cache_write_1h", p.CacheWrite1h, &out.CacheWrite1h, 6},
		{"request", p.Request, &out.Request, 12},
		{"image", p.Image, &out.Image, 12},
	} {
		n, err := scaled(f.text, f.scale)
		if err != nil {
			return Price{}, fmt.Errorf("price of %s: %w", f.name, err)
		}
		*f.to = n
	}
	if p.CacheWrite1h == "" {
		out.CacheWrite1h = 2 * out.Prompt // as everyone asks who keeps prompts for an hour
	}
	return out, nil
}

// scaled returns text * 10^decimals.
func scaled(text string, decimals int) (int64, error) {
	if text == "" {
		return 0, nil
	}
	whole, frac, _ := strings.Cut(text, ".")
	frac = strings.TrimRight(frac, "0")
	if len(frac) > decimals {
		return 0, fmt.Errorf("%q has more than %d decimals", text, decimals)
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", decimals-len(frac)), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a price", text)
	}
	return n, nil
}

// mostCost is the largest cost of a part of an answer: two of them add up to
// what an int64 holds.
const mostCost = math.MaxInt64 / 2

// Cost returns what an answer costs, in pico-dollars. No part is negative or
// more than half of what an int64 holds.
func (p *Price) Cost(u *chat.Usage) (prompt, completion int64) {
	read, write := p.CacheRead, p.CacheWrite
	if !p.hasRead {
		read = p.Prompt
	}
	if !p.hasWrite {
		write = p.Prompt
	}
	plain, hour := max(0, u.Prompt-u.CacheRead-u.CacheWrite), min(u.CacheWrite1h, u.CacheWrite)
	prompt = min(p.Request, mostCost)
	for _, part := range [...]int64{times(plain, p.Prompt), times(u.CacheRead, read), times(u.CacheWrite-hour, write), times(hour, p.CacheWrite1h)} {
		prompt = min(prompt+part, mostCost)
	}
	return prompt, times(u.Completion, p.Completion)
}

// times multiplies, up to mostCost.
func times(tokens, price int64) int64 {
	if tokens <= 0 || price <= 0 {
		return 0
	}
	if tokens > mostCost/price {
		return mostCost
	}
	return tokens * price
}

// AppendUSD appends an amount of pico-dollars as USD, without needless zeros.
func AppendUSD(dst []byte, pico int64) []byte {
	const one = 1_000_000_000_000
	dst = strconv.AppendInt(dst, pico/one, 10)
	if pico %= one; pico == 0 {
		return dst
	}
	var digits [12]byte
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = byte('0' + pico%10)
		pico /= 10
	}
	n := len(digits)
	for digits[n-1] == '0' {
		n--
	}
	return append(append(dst, '.'), digits[:n]...)
}
