package adminapi

// GetShadows compares shadows with the requests that they are copies of.
func GetShadows() Operation[ShadowQuery, ShadowReport] {
	return get[ShadowQuery, ShadowReport]("/admin/shadows", tagLog, "What a model's shadow endpoints answered, beside what clients got")
}

// ShadowQuery selects the comparison.
type ShadowQuery struct {
	Model    string `json:"-" query:"model" doc:"id or alias of a model; required"`
	Endpoint string `json:"-" query:"endpoint" doc:"only this shadow, its full id or the part after the model's"`
	Since    string `json:"-" query:"since" default:"24h" doc:"a time, a date, or a duration back such as 90m or 7d"`
	Until    string `json:"-" query:"until" doc:"before then; now without it"`
}

// ShadowReport is the comparison of a model's shadows.
type ShadowReport struct {
	Model string `json:"model"`
	// Shadows are those of the release in service, and what others have answered.
	Shadows []ShadowComparison `json:"shadows"`
}

// ShadowComparison is one shadow endpoint beside what clients got for the same
// requests.
type ShadowComparison struct {
	Endpoint string `json:"endpoint"`
	Share    string `json:"share" doc:"the share of the model's requests of which it gets a copy, such as 5%; empty if it is no shadow any more"`
	// Pairs are the requests that are compared.
	Pairs     int64      `json:"pairs" doc:"requests with a shadow, both of which are in the log: all figures are of these"`
	Unmatched int64      `json:"unmatched" doc:"shadows whose request is not in the log, yet or any more"`
	Main      ShadowSide `json:"main"`
	Shadow    ShadowSide `json:"shadow"`
	// SameFinish and SameToolCalls count pairs.
	SameFinish    int64 `json:"same_finish_reason" doc:"pairs that ended for the same reason"`
	SameToolCalls int64 `json:"same_tool_calls" doc:"pairs that called as many tools"`
}

// ShadowSide is one side of a comparison. Percentiles are by nearest rank, from a
// histogram: exact below 32 ms, up to 6 % high above.
type ShadowSide struct {
	Errors           int64            `json:"error_count" doc:"statuses of 400 and above"`
	Statuses         map[string]int64 `json:"statuses" doc:"requests by status"`
	Endpoints        map[string]int64 `json:"endpoints" doc:"requests by endpoint"`
	P50LatencyMS     int64            `json:"p50_latency_ms"`
	P95LatencyMS     int64            `json:"p95_latency_ms"`
	P50TTFTMS        int64            `json:"p50_ttft_ms" doc:"time to the first token, of the requests that had one"`
	P95TTFTMS        int64            `json:"p95_ttft_ms"`
	PromptTokens     int64            `json:"prompt_tokens"`
	CompletionTokens int64            `json:"completion_tokens"`
	ReasoningTokens  int64            `json:"reasoning_tokens"`
	CacheReadTokens  int64            `json:"cache_read_tokens"`
	CostUSD          string           `json:"cost_usd" doc:"an exact decimal"`
	FinishReasons    map[string]int64 `json:"finish_reasons" doc:"requests by finish reason"`
	ToolCalls        int64            `json:"tool_calls"`
	JSONAsked        int64            `json:"json_asked" doc:"complete answers that were to be JSON"`
	JSONValid        int64            `json:"json_valid" doc:"of these, those that are"`
}
