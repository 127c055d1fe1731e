package gateway

import (
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/tokens"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// bill puts what was used and what it costs into the event and the total.
func (a *account) bill(u *wire.Usage, e *snapshot.Endpoint) {
	t := &a.tokens
	b := a.used(e)
	cost := e.Price.Cost(&b)
	u.PromptTokens, u.CompletionTokens, u.ReasoningTokens = t.Prompt, t.Completion, t.Reasoning
	u.CacheReadTokens, u.CacheWriteTokens, u.CacheWrite1hTokens = t.CacheRead, t.CacheWrite, t.CacheWrite1h
	u.InputAudioTokens, u.CachedAudioTokens, u.OutputAudioTokens = t.PromptAudio, t.CacheReadAudio, t.CompletionAudio
	u.InputImageTokens, u.OutputImageTokens, u.InputImages, u.OutputImages = t.PromptImage, t.CompletionImage, b.Images, b.OutputImages
	u.WebSearches, u.ServerToolCalls = t.WebSearches, t.ServerTools
	u.ServiceTier, u.BYOK = b.Tier, t.BYOK
	u.CostSource, u.PriceVersion = cost.Source, cost.Version
	a.scratch = a.scratch[:0]
	if b.Told {
		u.UpstreamCostUSD = a.usd(b.Upstream)
	}
	a.total = api.Total{Usage: *t}
	if cost.Source == wire.CostSourceUnknown {
		return
	}
	a.cost = cost.Total()
	e.State.Counts.Paid(a.cost)
	if a.shadowOf == "" {
		a.caller.key.Spent.Add(a.caller.started, a.cost)
	}
	a.total.Cost, a.total.PromptCost, a.total.CompletionCost = a.usd(cost.Total()), a.usd(cost.Prompt), a.usd(cost.Completion)
	u.CostUSD = a.total.Cost
}

// usd writes an amount into the account's memory.
func (a *account) usd(pico int64) string {
	start := len(a.scratch)
	a.scratch = price.AppendUSD(a.scratch, pico)
	return view(a.scratch[start:])
}

// used collects what has a price.
func (a *account) used(e *snapshot.Endpoint) price.Bill {
	t := &a.tokens
	b := price.Bill{Unix: a.caller.started.Unix(), Tier: a.serviceTier(e), Used: price.Used{
		Prompt: t.Prompt, CacheRead: t.CacheRead, CacheWrite: t.CacheWrite, CacheWrite1h: t.CacheWrite1h,
		InputImageTokens: t.PromptImage, InputAudio: t.PromptAudio, InputAudioCache: t.CacheReadAudio,
		Completion: t.Completion, Reasoning: t.Reasoning, OutputImageTokens: t.CompletionImage, OutputAudio: t.CompletionAudio,
		OutputImages: a.images, WebSearches: t.WebSearches, ServerTools: t.ServerTools,
	}}
	if a.req.Has&(chat.HasImage|chat.HasResultMedia) != 0 {
		b.Images = tokens.Images(a.req.Messages)
	}
	if b.Upstream, b.Told = price.ParseUSD(t.Cost); t.BYOK {
		if inference, ok := price.ParseUSD(t.InferenceCost); ok {
			b.Upstream, b.Told = min(b.Upstream+inference, price.MostCost), true
		}
	}
	return b
}

// maxTier bounds the name of a tier of service.
const maxTier = 32

// serviceTier is the tier that the answer was served in: as the upstream says,
// else as the client asked for, if that has reached the upstream and leaves no
// choice. The usual tier is "".
func (a *account) serviceTier(e *snapshot.Endpoint) string {
	tier := a.tier
	if len(tier) == 0 && e.Takes.Has(chat.ServiceTier) {
		switch asked := rawjson.Inner(a.req.Raw(chat.ServiceTier)); string(asked) {
		case "flex", "priority", "batch":
			tier = asked
		}
	}
	switch string(tier) {
	case "default", "standard", "auto", "on_demand", "STANDARD", "ON_DEMAND":
		return ""
	}
	if len(tier) > maxTier {
		return ""
	}
	for _, ch := range tier {
		if (ch < 'a' || ch > 'z') && (ch < '0' || ch > '9') && ch != '_' && ch != '-' {
			return "" // no word that a price list can name
		}
	}
	return view(tier)
}

// measure settles the tokens and returns where they are from. What a provider
// said at the beginning of a stream that ended early has the prompt, but of the
// answer no more than its first token: what was seen of it counts.
func (a *account) measure() string {
	complete := a.usage.End == wire.EndComplete
	switch {
	case a.hasTokens && a.tokens.Estimated:
	case a.hasTokens && (complete || a.finish != chat.NotFinished || a.seen == 0):
		return wire.UsageProvider
	case a.hasTokens:
		a.tokens.Completion = max(a.tokens.Completion, tokens.FromBytes(a.seen))
	case a.seen > 0 || complete:
		a.tokens = chat.Usage{Prompt: tokens.Rough(a.req.Messages), Completion: tokens.FromBytes(a.seen)}
	default:
		return wire.UsageNone
	}
	return wire.UsageEstimated
}
