package adminapi

import (
	"encoding/json"
	"time"
)

// GetStats returns hourly figures.
func GetStats() Operation[StatsQuery, Stats] {
	return get[StatsQuery, Stats]("/admin/stats", tagLog, "Requests, tokens, cost and latency by hour")
}

// GetSeries returns figures over time.
func GetSeries() Operation[SeriesQuery, Series] {
	return get[SeriesQuery, Series]("/admin/series", tagLog, "Requests, errors, tokens, cost and time to the first token by minute, hour or day")
}

// GetUsage sums up what was used.
func GetUsage() Operation[UsageQuery, []UsageRow] {
	return get[UsageQuery, []UsageRow]("/admin/usage", tagLog, "Totals by up to three of model, provider, endpoint, node, key, user and a period")
}

// ListLogs returns rows of the request log.
func ListLogs() Operation[LogQuery, []LogRow] {
	return get[LogQuery, []LogRow]("/admin/logs", tagLog, "Rows of the request log, newest first, or after an id")
}

// GetContent returns what was asked and answered.
func GetContent() Operation[ContentQuery, Content] {
	return get[ContentQuery, Content]("/admin/logs/{id}/content", tagLog, "Prompt and answer of a request, if they are stored; reading is audited").forRole(RoleAdmin)
}

// ListAudit lists the audit log.
func ListAudit() Operation[AuditQuery, []AuditEntry] {
	return get[AuditQuery, []AuditEntry]("/admin/audit", tagLog, "Audit log, newest first")
}

// StatsQuery selects figures; "" means all models or providers.
type StatsQuery struct {
	Model    string `json:"-" query:"model"`
	Provider string `json:"-" query:"provider"`
	Endpoint string `json:"-" query:"endpoint"`
	Node     string `json:"-" query:"node"`
	Hours    int    `json:"-" query:"hours" min:"1" max:"87600" default:"24" doc:"how far back, without since"`
	Since    string `json:"-" query:"since" doc:"a time, a date, or a duration back such as 90m or 7d"`
	Until    string `json:"-" query:"until" doc:"like since, not included; the present without it"`
	MinMS    int64  `json:"-" query:"min_ms" min:"0" max:"86400000" doc:"only requests that took at least that long, from the rows of the log"`
	By       string `json:"-" query:"by" enum:"hour,model,provider,endpoint,node" default:"hour" doc:"hour: by hour, model and provider; else over the whole period"`
}

// Stats are figures by hour, newest first; without a request log only Error.
type Stats struct {
	PeriodHours int           `json:"period_hours,omitempty"`
	Filters     *StatsFilters `json:"filters,omitempty"`
	Stats       []StatsRow    `json:"stats,omitzero"`
	Groups      []GroupStats  `json:"groups,omitzero" doc:"instead of stats, unless by hour"`
	Error       string        `json:"error,omitempty" doc:"that there is no request log; then nothing else is there"`
}

// AuditQuery is a page of the audit log.
type AuditQuery struct {
	Page
	Since string `json:"-" query:"since" doc:"a time, a date, or a duration back such as 90m or 7d"`
	Until string `json:"-" query:"until" doc:"like since, not included"`
}

// StatsFilters repeats what was asked for.
type StatsFilters struct {
	Model    *string `json:"model"`
	Provider *string `json:"provider"`
}

// Figures are what was done. Percentiles are by nearest rank, from a histogram.
type Figures struct {
	RequestCount          int64   `json:"request_count"`
	SuccessCount          int64   `json:"success_count"`
	ErrorCount            int64   `json:"error_count"`
	TotalPromptTokens     int64   `json:"total_prompt_tokens"`
	TotalCompletionTokens int64   `json:"total_completion_tokens"`
	TotalTokens           int64   `json:"total_tokens"`
	TotalCostUSD          string  `json:"total_cost_usd" doc:"an exact decimal"`
	AvgLatencyMS          float64 `json:"avg_latency_ms"`
	P50LatencyMS          int64   `json:"p50_latency_ms"`
	P95LatencyMS          int64   `json:"p95_latency_ms"`
	P99LatencyMS          int64   `json:"p99_latency_ms"`
	P50TTFTMS             int64   `json:"p50_ttft_ms" doc:"time to the first token, of the requests that had one"`
	P95TTFTMS             int64   `json:"p95_ttft_ms"`
	P99TTFTMS             int64   `json:"p99_ttft_ms"`
}

// GroupStats is what one model, provider, endpoint or node did in the period.
type GroupStats struct {
	Group string `json:"group"`
	Figures
}

// StatsRow is what one model did at one provider in one hour.
type StatsRow struct {
	Hour     time.Time `json:"hour"`
	ModelID  string    `json:"model_id"`
	Provider string    `json:"provider"`
	Figures
}

// SeriesQuery selects figures over time.
type SeriesQuery struct {
	Since    string `json:"-" query:"since" default:"24h" doc:"a time, a date, or a duration back such as 90m or 7d"`
	Until    string `json:"-" query:"until" doc:"like since, not included; the present without it"`
	Step     string `json:"-" query:"step" enum:"auto,minute,hour,day" default:"auto" doc:"auto: minutes up to three hours, hours up to four days, else days of UTC"`
	By       string `json:"-" query:"by" enum:"none,model,provider,endpoint,node" default:"none" doc:"also the groups, and points for each of the first"`
	Top      int    `json:"-" query:"top" min:"0" max:"10" default:"5" doc:"how many groups have points, those with the most requests"`
	Limit    int    `json:"-" query:"limit" min:"1" max:"1000" default:"100" doc:"how many groups to list"`
	Model    string `json:"-" query:"model"`
	Provider string `json:"-" query:"provider"`
	Endpoint string `json:"-" query:"endpoint"`
	Node     string `json:"-" query:"node"`
}

// Series are figures over time. Points without requests are left out.
type Series struct {
	Step   string        `json:"step" enum:"minute,hour,day"`
	Since  time.Time     `json:"since" doc:"the beginning of the first step"`
	Total  SeriesFigures `json:"total"`
	Points []SeriesPoint `json:"points"`
	Groups []SeriesGroup `json:"groups" doc:"the one with the most requests first"`
	// GroupCount counts the groups, also those that are left out.
	GroupCount int `json:"group_count"`
}

// SeriesFigures are what was done.
type SeriesFigures struct {
	RequestCount int64  `json:"request_count"`
	ErrorCount   int64  `json:"error_count"`
	TotalTokens  int64  `json:"total_tokens"`
	TotalCostUSD string `json:"total_cost_usd" doc:"an exact decimal"`
	P50TTFTMS    int64  `json:"p50_ttft_ms" doc:"time to the first token; 0 in the points of groups"`
	P95TTFTMS    int64  `json:"p95_ttft_ms"`
}

// SeriesPoint is what was done in one step.
type SeriesPoint struct {
	Time time.Time `json:"time"`
	SeriesFigures
}

// SeriesGroup is what one model, provider, endpoint or node did.
type SeriesGroup struct {
	Group string `json:"group"`
	SeriesFigures
	Points []SeriesPoint `json:"points"`
}

// UsageQuery selects totals; empty filters select all.
type UsageQuery struct {
	By    string `json:"-" query:"by" default:"model" doc:"one to three of model, provider, endpoint, node, key, user, team and one of hour, day, week, month, separated by commas"`
	Since string `json:"-" query:"since" default:"24h" doc:"from then on: a time, a date in the time zone, a duration back such as 90m or 7d, or all"`
	Until string `json:"-" query:"until" doc:"before then: the same; now without it"`
	Zone  string `json:"-" query:"zone" default:"UTC" doc:"the IANA time zone of dates and days, such as Asia/Kolkata"`
	Filters
}

// UsageRow is one total. Of the names those are set that it is by; Group is the
// first of them. KeyName and TeamName are the current ones.
type UsageRow struct {
	Group            string `json:"group"`
	Period           string `json:"period,omitempty" doc:"a day, the Monday of a week, a month such as 2030-01, or an hour"`
	Model            string `json:"model,omitempty"`
	Provider         string `json:"provider,omitempty"`
	Endpoint         string `json:"endpoint,omitempty"`
	Node             string `json:"node,omitempty"`
	Key              string `json:"key,omitempty"`
	KeyName          string `json:"key_name,omitempty"`
	User             string `json:"user,omitempty"`
	Team             string `json:"team,omitempty"`
	TeamName         string `json:"team_name,omitempty"`
	RequestCount     int64  `json:"request_count"`
	ErrorCount       int64  `json:"error_count"`
	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	ReasoningTokens  int64  `json:"reasoning_tokens"`
	CacheReadTokens  int64  `json:"cache_read_tokens"`
	CacheWriteTokens int64  `json:"cache_write_tokens"`
	TotalTokens      int64  `json:"total_tokens"`
	CostUSD          string `json:"cost_usd" doc:"an exact decimal"`
}

// Filters select requests by what served them and who made them; "" selects all.
type Filters struct {
	Model    string `json:"-" query:"model" doc:"/admin/logs: as the client wrote it; /admin/usage: a model's id, or (unknown) for names that no model has"`
	Provider string `json:"-" query:"provider"`
	Endpoint string `json:"-" query:"endpoint" doc:"its full id"`
	Node     string `json:"-" query:"node"`
	Key      string `json:"-" query:"key" doc:"the API key's id"`
	User     string `json:"-" query:"user"`
	Team     string `json:"-" query:"team" doc:"a team's id or name"`
}

// ContentQuery names a request whose content is read.
type ContentQuery struct {
	ByID
	ByAuthor
}

// LogQuery selects rows of the request log. Empty fields select all.
type LogQuery struct {
	ByAuthor
	Since  string `json:"-" query:"since" doc:"a time, or a duration back such as 90m or 7d"`
	Until  string `json:"-" query:"until" doc:"a time, or a duration back such as 90m or 7d"`
	Before string `json:"-" query:"before" doc:"the id of the last row of the previous page"`
	After  string `json:"-" query:"after" doc:"an id of which to list the rows that follow, oldest first"`
	Errors bool   `json:"-" query:"errors" doc:"only requests with a status of 400 and above"`
	Limit  int    `json:"-" query:"limit" min:"1" max:"1000" default:"100"`
	ID     string `json:"-" query:"id" doc:"any id of a request: the generation's, that of an item of its answer, the X-Request-ID, the upstream's or the trace's"`
	Text   string `json:"-" query:"text" maxlen:"200" doc:"a part of the error, or of a stored prompt or answer, whose search is audited"`
	MinMS  int64  `json:"-" query:"min_ms" min:"0" max:"86400000" doc:"only requests that took at least that long"`
	Filters
	Session string `json:"-" query:"session"`
	Outcome string `json:"-" query:"outcome"`
	Shadow  string `json:"-" query:"shadow" enum:"with,only,none" default:"with" doc:"only: copies of requests for comparison; none: requests alone; with: both"`
}

// LogRow is a row of the request log: an object with all of its columns, of
// which the fields are those that programs ask for by name.
type LogRow struct {
	// Raw is the complete object.
	Raw json.RawMessage `json:"-"`

	RequestID    string `json:"request_id"`
	ReceivedAt   string `json:"received_at"`
	ModelID      string `json:"model_id" nullable:"true"`
	Endpoint     string `json:"endpoint" nullable:"true"`
	UserID       string `json:"user_id" nullable:"true"`
	Status       int    `json:"status_code"`
	Outcome      string `json:"outcome" nullable:"true"`
	LatencyMS    int64  `json:"latency_ms"`
	PromptTokens *int64 `json:"prompt_tokens"`
	Completion   *int64 `json:"completion_tokens"`
	CostUSD      string `json:"cost_usd" nullable:"true" doc:"an exact decimal"`
	Error        string `json:"error" nullable:"true"`
	Shadow       bool   `json:"shadow" nullable:"true" doc:"a copy of a request for comparison, which counts in no report"`
}

// UnmarshalJSON keeps the complete object beside the fields.
func (r *LogRow) UnmarshalJSON(text []byte) error {
	type plain LogRow
	if err := json.Unmarshal(text, (*plain)(r)); err != nil {
		return err
	}
	r.Raw = append(json.RawMessage{}, text...)
	return nil
}

// MarshalJSON returns the complete object.
func (r LogRow) MarshalJSON() ([]byte, error) { return r.Raw, nil }

// Content is what was asked and answered.
type Content struct {
	RequestID string `json:"request_id"`
	Prompt    string `json:"prompt" doc:"the messages as JSON text"`
	Answer    string `json:"answer"`
}

// AuditEntry is one change by an operator, or one attempt.
type AuditEntry struct {
	// ID counts up.
	ID     uint64    `json:"id"`
	Time   time.Time `json:"time"`
	Author string    `json:"author"`
	Action string    `json:"action"`
	Target string    `json:"target"`
	Reason string    `json:"reason"`
	// Detail is JSON of any form.
	Detail json.RawMessage `json:"detail"`
}
