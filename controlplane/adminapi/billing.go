package adminapi

import "time"

// GetBilling sums up what providers should have billed.
func GetBilling() Operation[BillingQuery, []BillingRow] {
	return get[BillingQuery, []BillingRow]("/admin/billing", tagLog, "What providers should bill: totals by day and upstream model, and by what explains differences")
}

// FindBilled looks requests up by the providers' ids.
func FindBilled() Operation[BilledQuery, []BilledRequest] {
	return post[BilledQuery, []BilledRequest]("/admin/billing/find", tagLog, "Requests by the ids that providers list in their exports").forRole(RoleViewer)
}

// BillingQuery selects days.
type BillingQuery struct {
	Since string `json:"-" query:"since" doc:"from then on: a time, a date in the time zone or a duration back such as 90m or 7d"`
	Until string `json:"-" query:"until" doc:"before then: the same; now without it"`
	Zone  string `json:"-" query:"zone" default:"UTC" doc:"the IANA time zone of dates and days, such as Asia/Kolkata"`
}

// BillingRow is a total of requests that reached an endpoint and are alike in
// all of the names.
type BillingRow struct {
	Day              string `json:"day"`
	Provider         string `json:"provider"`
	UpstreamModel    string `json:"upstream_model"`
	Model            string `json:"model"`
	UsageSource      string `json:"usage_source"`
	CostSource       string `json:"cost_source"`
	Outcome          string `json:"outcome"`
	BYOK             bool   `json:"is_byok"`
	Told             bool   `json:"upstream_cost_known" doc:"whether the provider named the cost of each request, in its answer"`
	RequestCount     int64  `json:"request_count"`
	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	CostUSD          string `json:"cost_usd" doc:"an exact decimal"`
	UpstreamCostUSD  string `json:"upstream_cost_usd" doc:"an exact decimal"`
}

// BilledQuery names requests.
type BilledQuery struct {
	IDs []string `json:"ids" doc:"at most 1000 upstream ids"`
}

// BilledRequest is a request that the log has.
type BilledRequest struct {
	UpstreamID       string    `json:"upstream_id"`
	Time             time.Time `json:"time"`
	Provider         string    `json:"provider"`
	UpstreamModel    string    `json:"upstream_model"`
	Model            string    `json:"model"`
	UsageSource      string    `json:"usage_source"`
	PromptTokens     int64     `json:"prompt_tokens"`
	CompletionTokens int64     `json:"completion_tokens"`
	CostUSD          string    `json:"cost_usd" doc:"an exact decimal"`
}
