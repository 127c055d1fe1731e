package completions

import (
	"strconv"

	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// appendHead appends the members that every object of an answer begins with.
func appendHead(dst []byte, h *api.Head, object string) []byte {
	dst = rawjson.AppendString(append(dst, `"id":`...), h.ID)
	dst = append(append(append(dst, `,"object":"`...), object...), `","created":`...)
	dst = strconv.AppendInt(dst, h.Created, 10)
	dst = rawjson.AppendString(append(dst, `,"model":`...), h.Model)
	return rawjson.AppendString(append(dst, `,"provider":`...), h.Provider)
}

func appendRouting(dst, routing []byte) []byte {
	if routing == nil {
		return dst
	}
	return append(append(dst, `,"openrouter_metadata":`...), routing...)
}

// appendUsage appends the usage object. SDKs insist on most of its members.
func appendUsage(dst []byte, t *api.Total) []byte {
	num := func(key string, n int64) {
		dst = strconv.AppendInt(append(dst, key...), n, 10)
	}
	num(`{"prompt_tokens":`, t.Prompt)
	num(`,"completion_tokens":`, t.Completion)
	num(`,"total_tokens":`, t.Prompt+t.Completion)
	if t.Cost != "" { // null would fail SDKs
		dst = append(append(dst, `,"cost":`...), t.Cost...)
		dst = append(append(dst, `,"cost_details":{"upstream_inference_cost":`...), t.Cost...)
		dst = append(append(dst, `,"upstream_inference_prompt_cost":`...), t.PromptCost...)
		dst = append(append(append(dst, `,"upstream_inference_completions_cost":`...), t.CompletionCost...), '}')
	}
	dst = strconv.AppendBool(append(dst, `,"is_byok":`...), t.BYOK)
	num(`,"prompt_tokens_details":{"cached_tokens":`, t.CacheRead)
	num(`,"cache_write_tokens":`, t.CacheWrite)
	num(`,"audio_tokens":`, t.PromptAudio)
	num(`,"video_tokens":0},"completion_tokens_details":{"reasoning_tokens":`, t.Reasoning)
	num(`,"image_tokens":`, t.CompletionImage)
	num(`,"audio_tokens":`, t.CompletionAudio)
	return append(dst, '}', '}')
}
