package adminapi

import "time"

// ListPrices lists the prices of the release in service.
func ListPrices() Operation[OfModel, []Price] {
	return get[OfModel, []Price]("/admin/prices", tagLog, "The prices in service, by endpoint and condition")
}

// Reprice computes costs anew.
func Reprice() Operation[Repricing, Repriced] {
	return post[Repricing, Repriced]("/admin/prices/reprice", tagLog, "Compute the costs of a period anew: repeat with the answer's next until it is empty")
}

// Price is the prices of an endpoint under one set of conditions.
type Price struct {
	Model       string     `json:"model"`
	Endpoint    string     `json:"endpoint"`
	Version     string     `json:"version" doc:"what rows have as price_version"`
	From        *time.Time `json:"from" doc:"when they begin to hold; null for always"`
	Until       *time.Time `json:"until" doc:"when they cease to hold; null for never"`
	ServiceTier string     `json:"service_tier" doc:"empty for all that have no prices of their own"`
	MinPrompt   int64      `json:"min_prompt_tokens"`
	// Prices are USD per million tokens, and USD each for what is no token.
	Prices map[string]string `json:"prices" doc:"exact decimals in USD per million tokens, or each"`
	// Unknown are what has no price; what stands in for it is in Prices.
	Unknown  []string `json:"unknown"`
	Upstream bool     `json:"upstream" doc:"the upstream's own cost counts where it tells one"`
}

// Repricing asks for a batch of rows to be priced again.
type Repricing struct {
	ByAuthor
	Reason string `json:"reason,omitempty" maxlen:"1000" doc:"for the audit log"`
	Since  string `json:"since" doc:"a time, a date or a span back such as 7d"`
	Until  string `json:"until,omitempty" doc:"the same; now if left out"`
	// Prices says which: those of the release in service, or of the releases that
	// were in service at the time.
	Prices string `json:"prices,omitempty" doc:"current, the prices in service now, which is the default, or recorded, those of the releases that were in service then"`
	After  string `json:"after,omitempty" doc:"next of the answer before"`
	DryRun bool   `json:"dry_run,omitempty" doc:"only say what would change"`
}

// Repriced is what a Repricing did.
type Repriced struct {
	Next     string `json:"next" doc:"where to go on; empty at the end"`
	Rows     int64  `json:"rows"`
	Unlisted int64  `json:"unlisted" doc:"rows of endpoints that have no prices; they stay as they are"`
	Changed  int64  `json:"changed"`
	Before   string `json:"before_usd" doc:"cost of the changed rows before"`
	After    string `json:"after_usd" doc:"cost of the changed rows afterwards"`
}
