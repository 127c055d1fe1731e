package chat

import "github.com/hybridinference/gateway/shared/rawjson"

// Usage is an answer's token count: Prompt includes CacheRead and CacheWrite,
// Completion includes Reasoning.
type Usage struct {
	Prompt, Completion, Reasoning, CacheRead, CacheWrite int64
	// CacheWrite1h is the part of CacheWrite that is kept for an hour.
	CacheWrite1h int64
	// Audio and image tokens, where the provider reports them. CacheReadAudio is the part
	// of CacheRead and of PromptAudio that is both.
	PromptAudio, PromptImage, CacheReadAudio, CompletionAudio, CompletionImage int64
	// WebSearches and ServerTools are calls of tools that the provider ran: its
	// searches, and all others.
	WebSearches, ServerTools int64
	// Estimated says that the provider has not counted.
	Estimated bool
	// Cost is the provider's own price in USD as decimal text, "" if it reports none.
	Cost string
	// BYOK is set where the provider resells another's answer that the operator
	// pays for himself: InferenceCost, in the form of Cost, comes on top of Cost.
	BYOK          bool
	InferenceCost string
}

const (
	// mostTokens is the largest number of tokens that a provider can mean.
	mostTokens = 1 << 40
	// implausible stands for any number that none can mean: sums of some of them
	// still are such numbers, and do not overflow.
	implausible = 1 << 60
)

// Zero reports whether nothing was counted.
func (u *Usage) Zero() bool { return u.Prompt == 0 && u.Completion == 0 }

// Plausible reports whether a provider can mean all of it.
func (u *Usage) Plausible() bool {
	for _, n := range [...]int64{u.Prompt, u.Completion, u.Reasoning, u.CacheRead, u.CacheWrite, u.CacheWrite1h, u.PromptAudio, u.PromptImage, u.CacheReadAudio, u.CompletionAudio, u.CompletionImage, u.WebSearches, u.ServerTools} {
		if n < 0 || n > mostTokens {
			return false
		}
	}
	return true
}

// MoneyText returns a number as text that ParseUSD of package price reads, "" for
// what is no number, or negative.
func MoneyText(raw []byte) string {
	if len(raw) == 0 || raw[0] < '0' || raw[0] > '9' {
		return ""
	}
	return string(raw)
}

// Tokens reads a number of tokens: 0 for what is no number, and for a number
// that no provider can mean one that makes its usage implausible.
func Tokens(raw []byte) int64 {
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0
	}
	if n, ok := rawjson.Int(raw); ok && n >= 0 && n <= mostTokens {
		return n
	}
	if f, ok := rawjson.Float(raw); ok && f >= 0 && f <= mostTokens {
		return int64(f)
	}
	return implausible
}
