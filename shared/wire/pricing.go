package wire

import "reflect"

// Pricing is a price list: USD per million tokens, and USD each where the unit
// is no token. Prices are decimal text with at most six decimals. "0" is free;
// "" is a price that was not given, which is then that of another cell, no
// charge, or unknown, as package price says.
type Pricing struct {
	Prompt     string `json:"prompt,omitempty"`
	Completion string `json:"completion,omitempty"`
	// Reasoning is for reasoning tokens, "" for the price of the completion.
	Reasoning string `json:"reasoning,omitempty"`
	// Image is for an image in the prompt, OutputImage for one in the answer, in
	// USD each, Request for a request.
	Image       string `json:"image,omitempty"`
	OutputImage string `json:"output_image,omitempty"`
	Request     string `json:"request,omitempty"`
	// CacheWrite is for what is kept for minutes, CacheWrite1h for an hour.
	CacheRead    string `json:"cache_read,omitempty"`
	CacheWrite   string `json:"cache_write,omitempty"`
	CacheWrite1h string `json:"cache_write_1h,omitempty"`
	// These are for the tokens of images and sounds.
	InputImageTokens  string `json:"input_image_tokens,omitempty"`
	OutputImageTokens string `json:"output_image_tokens,omitempty"`
	InputAudio        string `json:"input_audio,omitempty"`
	InputAudioCache   string `json:"input_audio_cache,omitempty"`
	OutputAudio       string `json:"output_audio,omitempty"`
	// WebSearch is for a search, ServerTool for any other call of a tool that the
	// provider runs, in USD each.
	WebSearch  string `json:"web_search,omitempty"`
	ServerTool string `json:"server_tool,omitempty"`

	// Unknown names the cells, as in JSON, whose price is known to be unknown:
	// nothing stands in for them without being marked.
	Unknown []string `json:"unknown,omitempty"`
	// Cost says whose figure counts: "" and CostList this list, and the
	// upstream's where the list lacks a price; CostUpstream the upstream's, and
	// the list where it gives none.
	Cost string `json:"cost,omitempty"`
	// Overrides change the list under a condition. Those that apply do so one
	// after the other.
	Overrides []PriceOverride `json:"overrides,omitempty"`
}

// Whose figure of a cost counts.
const (
	CostList     = "list"
	CostUpstream = "upstream"
)

// PriceOverride changes a price list where all of its conditions hold.
type PriceOverride struct {
	// From and Until bound the time of the request in seconds since 1970: from,
	// and before. 0 is no bound.
	From  int64 `json:"from,omitempty"`
	Until int64 `json:"until,omitempty"`
	// MinPromptTokens is the smallest prompt that it applies to, cached tokens
	// included.
	MinPromptTokens int64 `json:"min_prompt_tokens,omitempty"`
	// ServiceTier is flex, priority, batch or another word of the provider's; ""
	// is any tier.
	ServiceTier string `json:"service_tier,omitempty"`
	// Multiplier is a decimal that all prices are multiplied with, after Prices
	// have replaced some; "" is 1.
	Multiplier string `json:"multiplier,omitempty"`
	// Prices has the cells that are replaced. It has no Cost and no Overrides.
	Prices Pricing `json:"prices"`
}

// Where a cost came from.
const (
	// CostSourceList is the price list, CostSourceFree one in which all is free.
	CostSourceList = "list"
	CostSourceFree = "free"
	// CostSourceUpstream is the upstream's own figure.
	CostSourceUpstream = "upstream"
	// CostSourcePartial is a list without a price for some of what was used: the
	// cost has the rest, or what stands in for the price.
	CostSourcePartial = "partial"
	// CostSourceUnknown is a list without prices: there is no cost.
	CostSourceUnknown = "unknown"
)

// Empty reports whether the list says nothing about any price.
func (p *Pricing) Empty() bool { return reflect.ValueOf(p).Elem().IsZero() }
