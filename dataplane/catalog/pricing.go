package catalog

import (
	"time"

	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// shown is how a price is called in OpenRouter's API.
type shown struct {
	name string
	cell price.Cell
	// always: shown also where the list has no such price, with what is charged
	// then. The others are left out.
	always bool
	// override: it may occur in overrides.
	override bool
}

func shownPrices() []shown {
	return []shown{
		{"prompt", price.Prompt, true, true},
		{"completion", price.Completion, true, true},
		{"request", price.Request, true, false},
		{"image", price.Image, true, false},
		{"input_cache_read", price.CacheRead, true, true},
		{"input_cache_write", price.CacheWrite, true, true},
		{"input_cache_write_1h", price.CacheWrite1h, false, true},
		{"internal_reasoning", price.Reasoning, false, false},
		{"image_token", price.InputImageTokens, false, false},
		{"image_output", price.OutputImage, false, false},
		{"audio", price.InputAudio, false, true},
		{"audio_output", price.OutputAudio, false, false},
		{"input_audio_cache", price.InputAudioCache, false, true},
		{"web_search", price.WebSearch, false, false},
	}
}

// unknownPrice is OpenRouter's for what depends; its SDK insists on some.
const unknownPrice = "-1"

// pricing shows a list as OpenRouter does, in USD per token: the prices that
// hold when the release is built.
func pricing(p wire.Pricing, now time.Time) (map[string]any, error) {
	list, err := price.New(p)
	if err != nil {
		return nil, err
	}
	base := list.Now(now)
	out := map[string]any{}
	for _, s := range shownPrices() {
		text := unknownPrice
		if base.Priced() && (base.Given.Has(s.cell) || !base.Unknown.Has(s.cell) || base.Price[s.cell] > 0) {
			text = string(price.AppendUSD(nil, base.Price[s.cell]))
		}
		if s.always || base.Given.Has(s.cell) {
			out[s.name] = text
		}
	}
	if overrides := priceOverrides(list, base, now); overrides != nil {
		out["overrides"] = overrides
	}
	return out, nil
}

// priceOverrides are the prices that are different for large prompts.
func priceOverrides(list *price.List, base *price.Sheet, now time.Time) (out []map[string]any) {
	for _, e := range list.Entries() {
		if !e.Others || e.MinPrompt == 0 || list.At(now.Unix(), "", e.MinPrompt) != e.Sheet {
			continue
		}
		// there it is the largest prompt to which it does not apply
		o := map[string]any{"min_prompt_tokens": e.MinPrompt - 1}
		for _, s := range shownPrices() {
			if s.override && (s.always || e.Given.Has(s.cell)) && e.Price[s.cell] != base.Price[s.cell] {
				o[s.name] = string(price.AppendUSD(nil, e.Price[s.cell]))
			}
		}
		if len(o) > 1 {
			out = append(out, o)
		}
	}
	return out
}
