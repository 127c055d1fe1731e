package config

import (
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// Pricing is what a model costs, in the form of a release: exact decimals
// without needless zeros.
type Pricing = wire.Pricing

// priceNames are the cells' names in the file.
func priceNames() [price.NumCells]string {
	return [price.NumCells]string{
		price.Prompt: "prompt", price.Completion: "completion", price.Reasoning: "reasoning", price.Image: "image", price.OutputImage: "output_image",
		price.Request: "request", price.CacheRead: "input_cache_reads", price.CacheWrite: "input_cache_writes", price.CacheWrite1h: "input_cache_writes_1h",
		price.InputImageTokens: "input_image_tokens", price.OutputImageTokens: "output_image_tokens", price.InputAudio: "input_audio",
		price.InputAudioCache: "input_audio_cache_reads", price.OutputAudio: "output_audio", price.WebSearch: "web_search", price.ServerTool: "server_tool",
	}
}

// cellKeys are the prices themselves.
func cellKeys() []key[Pricing] {
	var keys []key[Pricing]
	for c, name := range priceNames() {
		keys = append(keys, key[Pricing]{name, func(v value, p *Pricing) { v.cell(price.Cell(c), p) }})
	}
	return keys
}

func pricingKeys() []key[Pricing] {
	return append(cellKeys(),
		key[Pricing]{"cost", func(v value, p *Pricing) {
			if !v.null() {
				v.choice(&p.Cost, wire.CostList, wire.CostUpstream)
			}
		}},
		key[Pricing]{"overrides", readOverrides})
}

// readPricing reads a price list over what into has. Unlike elsewhere, null is
// not an absent key but a price that is unknown.
func readPricing(v value, into *Pricing) {
	if !readNulls(v, pricingKeys(), into) {
		return
	}
	if _, err := price.New(*into); err != nil {
		v.problemf("%v", err)
	}
}

var tierName = regexp.MustCompile(`^[a-z0-9_-]{1,32}$`)

// override is an entry of overrides while it is read.
type override struct {
	wire.PriceOverride
	conditions int
}

func overrideKeys() []key[override] {
	prices := lift(cellKeys(), func(o *override) *Pricing { return &o.Prices })
	moment := func(v value, into *int64, o *override) {
		if !v.null() {
			v.moment(into)
			o.conditions++
		}
	}
	return append([]key[override]{
		{"from", func(v value, o *override) { moment(v, &o.From, o) }},
		{"until", func(v value, o *override) { moment(v, &o.Until, o) }},
		{"min_prompt_tokens", func(v value, o *override) {
			var n int
			if !v.null() {
				v.integer(&n, 1, math.MaxInt32)
				o.MinPromptTokens = int64(n)
				o.conditions++
			}
		}},
		{"service_tier", func(v value, o *override) {
			if !v.null() && v.name(&o.ServiceTier, tierName, "a tier of service in lower case, such as flex, priority or batch") {
				o.conditions++
			}
		}},
		{"multiplier", func(v value, o *override) {
			if !v.null() {
				v.decimal(&o.Multiplier, `a decimal >= 0 such as "0.5"`, "", 1000)
			}
		}},
	}, prices...)
}

func readOverrides(v value, p *Pricing) {
	p.Overrides = nil
	if v.null() {
		return
	}
	items, _ := v.items()
	for _, item := range items {
		var o override
		if !readNulls(item, overrideKeys(), &o) {
			continue
		}
		switch empty := o.Multiplier == "" && o.Prices.Empty(); {
		case o.conditions == 0:
			item.problemf("must have a condition: from, until, min_prompt_tokens or service_tier")
		case o.Until > 0 && o.Until <= o.From:
			item.problemf("until must be after from")
		case empty:
			item.problemf("must change something: give prices or a multiplier")
		}
		p.Overrides = append(p.Overrides, o.PriceOverride)
	}
}

// moment reads a date, which begins at midnight UTC, or a time in RFC 3339.
func (v value) moment(into *int64) {
	const what = "a date such as 2026-12-01 or a time such as 2026-12-01T08:00:00Z"
	x, ok := v.expanded(what)
	if !ok {
		return
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(form, x.text); err == nil && at.Unix() > 0 {
			*into = at.Unix()
			return
		}
	}
	v.problemf("must be %s, got %s", what, v.got(x.text))
}

const (
	// priceDecimals is the precision of a price: a millionth of a dollar.
	priceDecimals = 6
	// maxPrice is a dollar a token.
	maxPrice = 1_000_000
)

// cell reads a price. null is one that is unknown.
func (v value) cell(c price.Cell, p *Pricing) {
	name, into := c.Name(), c.Text(p)
	unknown := slices.DeleteFunc(slices.Clone(p.Unknown), func(s string) bool { return s == name })
	if v.null() {
		*into, p.Unknown = "", append(unknown, name)
		return
	}
	what, unit := `a decimal >= 0 in USD per million tokens, such as "0.25"`, " USD per million tokens"
	if c.Each() {
		what, unit = `a decimal >= 0 in USD, such as "0.01"`, " USD"
	}
	if v.decimal(into, what, unit, maxPrice) {
		p.Unknown = unknown
	}
}

// decimal reads a decimal, as text or number. It never becomes a float.
func (v value) decimal(into *string, what, unit string, most int64) bool {
	x, ok := v.expanded(what)
	if !ok {
		return false
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
	case exact.Cmp(big.NewRat(most, 1)) > 0:
		v.problemf("must be at most %d%s, got %s", most, unit, v.got(x.text))
	case rounded.Cmp(exact) != 0:
		v.problemf("must have at most %d decimal places, got %s", priceDecimals, v.got(x.text))
	default:
		*into = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
		return true
	}
	return false
}

// missingPrices names the prices without which the cost of ordinary requests to
// a route of a model is not known, as they are called in the file.
func missingPrices(m *Model, p *Pricing) []string {
	list, err := price.New(*p)
	if err != nil {
		return nil // reported where it was read
	}
	needed := []price.Cell{price.Prompt}
	if m.Type == TypeChat {
		needed = append(needed, price.Completion, price.CacheRead)
	}
	if slices.Contains(m.InputModalities, "audio") {
		needed = append(needed, price.InputAudio)
	}
	if slices.Contains(m.OutputModalities, "audio") {
		needed = append(needed, price.OutputAudio)
	}
	if slices.Contains(m.OutputModalities, "image") {
		needed = append(needed, price.OutputImageTokens)
	}
	var missing []string
	names, sheet := priceNames(), list.Now(time.Now())
	for c := range price.NumCells {
		null := slices.Contains(p.Unknown, c.Name())
		if sheet.Unknown.Has(c) && (null || slices.Contains(needed, c)) {
			missing = append(missing, names[c])
		}
	}
	return missing
}

// warnUnpriced reports the prices that the model's routes lack.
func (m *modelEntry) warnUnpriced() {
	lacking := map[string][]string{}
	var order []string
	for i := range m.Routes {
		if p, _ := adapters.Find(m.Routes[i].Kind); p.PricesAnswers {
			continue
		}
		if missing := strings.Join(missingPrices(&m.Model, &m.Routes[i].Pricing), ", "); missing != "" {
			if lacking[missing] == nil {
				order = append(order, missing)
			}
			lacking[missing] = append(lacking[missing], m.Routes[i].ID)
		}
	}
	for _, missing := range order {
		m.at.warnf("no price for %s of %s: what needs it is recorded with an unknown or partial cost; 0 is free", missing, strings.Join(lacking[missing], ", "))
	}
}
