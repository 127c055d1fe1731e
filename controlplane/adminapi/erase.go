package adminapi

import "time"

// EraseRequests erases what is stored of someone's requests.
func EraseRequests() Operation[EraseRequest, EraseResult] {
	return post[EraseRequest, EraseResult]("/admin/erase", tagLog, "Remove or pseudonymise the stored requests of a user or key")
}

// EraseRequest says whose requests are erased. Of User and Key one is set.
type EraseRequest struct {
	ByAuthor
	Reason       string `json:"reason,omitempty" maxlen:"1000" doc:"for the audit log"`
	User         string `json:"user,omitempty" maxlen:"512"`
	Key          string `json:"key,omitempty" maxlen:"512" doc:"the key's id"`
	Before       string `json:"before,omitempty" doc:"only requests before then: a time, a date, or a duration back such as 90d; now without it. It is cut to the quarter of an hour"`
	Pseudonymise bool   `json:"pseudonymise,omitempty" doc:"keep the rows without what leads to a person"`
	DryRun       bool   `json:"dry_run,omitempty" doc:"only count"`
	From         string `json:"from,omitempty" doc:"where to go on: next of the answer before"`
}

// Wait is how long the daemon may take for it.
func (EraseRequest) Wait() time.Duration { return 30 * time.Second }

// EraseResult is what one request has done. A large log takes several: until
// Next is empty.
type EraseResult struct {
	Before   time.Time `json:"before" doc:"to be repeated with next"`
	Rows     int64     `json:"rows"`
	Contents int64     `json:"contents" doc:"prompts and answers"`
	Next     string    `json:"next,omitempty" doc:"where the next request has to go on; absent when all is done"`
	// Pending events and DeadLetters may be of the same user or key.
	Pending     uint64 `json:"pending" doc:"events on their way that may be theirs; the collector erases them when they arrive within 30 days"`
	DeadLetters uint64 `json:"dead_letters" doc:"dead letters that name the user or key: drop them, or replay them to have them erased"`
}
