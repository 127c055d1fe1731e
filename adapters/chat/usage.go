package chat

import "github.com/hybridinference/gateway/shared/rawjson"

// Usage is an answer's token count: Prompt includes CacheRead and CacheWrite,
// Completion includes Reasoning.
type Usage struct {
	Prompt, Completion, Reasoning, CacheRead, CacheWrite int64
	// CacheWrite1h is the part of CacheWrite that is kept for an hour.
	CacheWrite1h int64
	// Audio and image tokens, where the provider tells.
	PromptAudio, CompletionAudio, CompletionImage int64
	// Cost is the provider's own price in USD as decimal text, "" if not told.
	Cost string
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
	for _, n := range [...]int64{u.Prompt, u.Completion, u.Reasoning, u.CacheRead, u.CacheWrite, u.CacheWrite1h, u.PromptAudio, u.CompletionAudio, u.CompletionImage} {
		if n < 0 || n > mostTokens {
			return false
		}
	}
	return true
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
