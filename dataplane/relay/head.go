// Package relay writes answers in the client's format: chunks of a stream as
// their events come, or one whole answer.
package relay

import (
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// Head is what every chunk of an answer repeats.
type Head struct {
	// ID is the generation id, Created seconds since 1970.
	ID      string
	Created int64
	// Model is the id of the answering model, Provider its display name.
	Model, Provider string
}

func (h *Head) append(dst []byte, object string) []byte {
	dst = rawjson.AppendString(append(dst, `"id":`...), h.ID)
	dst = append(append(append(dst, `,"object":"`...), object...), `","created":`...)
	dst = strconv.AppendInt(dst, h.Created, 10)
	dst = rawjson.AppendString(append(dst, `,"model":`...), h.Model)
	return rawjson.AppendString(append(dst, `,"provider":`...), h.Provider)
}

// Total is an answer's usage with its price, as the client is told.
type Total struct {
	chat.Usage
	// PromptCost and CompletionCost are USD as decimal text.
	Cost, PromptCost, CompletionCost string
	// Routing is the raw openrouter_metadata for clients that asked for it.
	Routing []byte
}

func appendRouting(dst, routing []byte) []byte {
	if routing == nil {
		return dst
	}
	return append(append(dst, `,"openrouter_metadata":`...), routing...)
}

// append appends the usage object. SDKs insist on most of its members.
func (t *Total) append(dst []byte) []byte {
	num := func(key string, n int64) {
		dst = strconv.AppendInt(append(dst, key...), n, 10)
	}
	num(`{"prompt_tokens":`, t.Prompt)
	num(`,"completion_tokens":`, t.Completion)
	num(`,"total_tokens":`, t.Prompt+t.Completion)
	dst = append(append(dst, `,"cost":`...), t.Cost...)
	num(`,"is_byok":false,"prompt_tokens_details":{"cached_tokens":`, t.CacheRead)
	num(`,"cache_write_tokens":`, t.CacheWrite)
	num(`,"audio_tokens":`, t.PromptAudio)
	dst = append(append(dst, `,"video_tokens":0},"cost_details":{"upstream_inference_cost":`...), t.Cost...)
	dst = append(append(dst, `,"upstream_inference_prompt_cost":`...), t.PromptCost...)
	dst = append(append(dst, `,"upstream_inference_completions_cost":`...), t.CompletionCost...)
	num(`},"completion_tokens_details":{"reasoning_tokens":`, t.Reasoning)
	num(`,"image_tokens":`, t.CompletionImage)
	num(`,"audio_tokens":`, t.CompletionAudio)
	return append(dst, '}', '}')
}

// Options say how a client wants to see an answer.
type Options struct {
	// HideReasoning leaves reasoning out altogether (reasoning.exclude).
	HideReasoning bool
	// Alias adds reasoning_content, the name that older clients read.
	Alias bool
	// Legacy writes text_completion objects, the answers of POST completions.
	Legacy bool
}

func (o Options) object(chunk bool) string {
	switch {
	case o.Legacy:
		return "text_completion"
	case chunk:
		return "chat.completion.chunk"
	}
	return "chat.completion"
}
