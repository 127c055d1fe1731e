package requestlog

import "github.com/hybridinference/gateway/shared/wire"

// each calls put with every column of api_logs, always in the same order. The
// statements of all databases are made from this one list, so a column cannot
// meet another's value.
func (r *Row) each(put func(column string, c cell)) {
	if r.copied != nil {
		into := put
		put = func(column string, _ cell) { into(column, r.copied[column]) }
	}
	u := r.usage
	put("request_id", requiredCell(u.RequestID))
	put("http_request_id", nameCell(u.HTTPRequestID))
	put("trace_id", nameCell(u.TraceID))
	put("timestamp", cell{kind: kindSecond, num: r.second})
	put("received_at", cell{kind: kindMicro, num: u.Time})
	put("node", nameCell(u.Node))
	put("release_epoch", intCell(int64(u.Epoch)))
	put("release", intCell(int64(u.Release)))
	put("spool_epoch", nameCell(r.origin.SpoolEpoch))
	put("seq", intIf(r.origin.Seq > 0, int64(r.origin.Seq)))
	put("key_id", nameCell(u.KeyID))
	put("user_id", nameCell(u.UserID))
	put("team_id", nameCell(u.TeamID))
	put("session_id", nameCell(u.SessionID))
	put("api", nameCell(u.API))
	put("model_id", requiredCell(r.modelID))
	put("model", nameCell(u.Model))
	put("endpoint", nameCell(u.Endpoint))
	put("provider", requiredCell(r.providerTag))
	put("upstream_model", nameCell(u.UpstreamModel))
	put("upstream_id", nameCell(u.UpstreamID))
	put("attempts", jsonCell(r.attempts))
	put("stream", boolCell(u.Stream))
	put("status_code", intCell(int64(u.Status)))
	put("finish_reason", nameCell(u.FinishReason))
	put("native_finish_reason", nameCell(u.NativeFinishReason))
	put("outcome", nameCell(u.End))
	put("error", textCell(u.Error, maxError))
	put("ttft_ms", intIf(u.FirstTokenMS >= 0, u.FirstTokenMS))
	put("ttft_bucket", intIf(u.FirstTokenMS >= 0, latencyBucket(u.FirstTokenMS)))
	put("latency_ms", intCell(u.LatencyMS))
	put("latency_bucket", intCell(latencyBucket(u.LatencyMS)))
	put("queued_ms", intIf(u.QueuedMS > 0, u.QueuedMS))
	r.eachCount(put)
	put("temperature", floatIf(r.temperature))
	put("top_p", floatIf(r.topP))
	put("max_tokens", intIf(r.maxTokens.ok, r.maxTokens.value))
	put("seed", intIf(r.seed.ok, r.seed.value))
	put("params", jsonCell(r.params))
	put("user_agent", textCell(u.UserAgent, maxAgent))
	put("client_ip", nameCell(u.ClientIP))
	put("app_title", textCell(u.AppTitle, maxAgent))
	put("referer", textCell(u.Referer, maxAgent))
	put("metadata", jsonCell(r.extra))
	r.eachCompared(put)
}

// eachCompared puts what comparisons are made of.
func (r *Row) eachCompared(put func(column string, c cell)) {
	u := r.usage
	put("shadow", boolCell(u.Shadow))
	put("shadow_of", nameCell(u.ShadowOf))
	put("tool_calls", intIf(u.ToolCalls != 0, u.ToolCalls))
	valid := boolCell(u.JSONOutput == wire.JSONValid)
	valid.null = u.JSONOutput == ""
	put("json_valid", valid)
}

// notShadow is the condition for the rows that count: those of requests that
// clients have made, not of copies for comparison.
const notShadow = "shadow IS NOT TRUE"

// eachCount puts tokens and cost. Tokens of a request without usage are
// unknown, not zero.
func (r *Row) eachCount(put func(column string, c cell)) {
	u := r.usage
	known := u.UsageSource != wire.UsageNone
	put("prompt_tokens", intIf(known, u.PromptTokens))
	put("completion_tokens", intIf(known, u.CompletionTokens))
	put("reasoning_tokens", intIf(known, u.ReasoningTokens))
	put("total_tokens", intIf(known, u.PromptTokens+u.CompletionTokens))
	put("cache_read_tokens", intIf(known, u.CacheReadTokens))
	put("cache_write_tokens", intIf(known, u.CacheWriteTokens))
	put("usage_source", nameCell(u.UsageSource))
	put("cost_usd", moneyIf(r.cost))
	put("upstream_cost_usd", moneyIf(r.upstreamCost))
	r.eachPriced(put)
}

// eachPriced puts what has a price beside the usual counts, NULL for none, and
// where the cost comes from.
func (r *Row) eachPriced(put func(column string, c cell)) {
	u := r.usage
	put("cache_write_1h_tokens", intIf(u.CacheWrite1hTokens > 0, u.CacheWrite1hTokens))
	put("input_image_tokens", intIf(u.InputImageTokens > 0, u.InputImageTokens))
	put("output_image_tokens", intIf(u.OutputImageTokens > 0, u.OutputImageTokens))
	put("input_audio_tokens", intIf(u.InputAudioTokens > 0, u.InputAudioTokens))
	put("cached_audio_tokens", intIf(u.CachedAudioTokens > 0, u.CachedAudioTokens))
	put("output_audio_tokens", intIf(u.OutputAudioTokens > 0, u.OutputAudioTokens))
	put("input_images", intIf(u.InputImages > 0, u.InputImages))
	put("output_images", intIf(u.OutputImages > 0, u.OutputImages))
	put("web_searches", intIf(u.WebSearches > 0, u.WebSearches))
	put("server_tool_calls", intIf(u.ServerToolCalls > 0, u.ServerToolCalls))
	put("service_tier", nameCell(u.ServiceTier))
	put("is_byok", boolCell(u.BYOK))
	put("hedged_endpoint", nameCell(u.HedgedEndpoint))
	put("hedged_cost_usd", moneyIf(r.hedgedCost))
	put("cost_source", nameCell(u.CostSource))
	put("price_version", nameCell(u.PriceVersion))
	put("original_cost_usd", moneyIf(optional[int64]{}))
	put("original_price_version", nameCell(""))
	put("repriced_at", cell{kind: kindSecond, null: true})
}
