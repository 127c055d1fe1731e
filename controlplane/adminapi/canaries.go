package adminapi

import "time"

// ListCanaries lists canaries.
func ListCanaries() Operation[CanaryQuery, []Canary] {
	return get[CanaryQuery, []Canary]("/admin/canaries", tagReleases, "Configurations that a few nodes got first, newest first")
}

// StartCanary gives a configuration to a few nodes first.
func StartCanary() Operation[CanaryStart, CanaryResult] {
	return post[CanaryStart, CanaryResult]("/admin/canaries", tagReleases, "Give a configuration to a few nodes first, and to all if a guard holds").large()
}

// PromoteCanary gives it to all nodes.
func PromoteCanary() Operation[CanaryChange, Canary] {
	return post[CanaryChange, Canary]("/admin/canaries/promote", tagReleases, "Give the canary's configuration to all nodes now")
}

// AbortCanary takes it back.
func AbortCanary() Operation[CanaryChange, Canary] {
	return post[CanaryChange, Canary]("/admin/canaries/abort", tagReleases, "End the canary; its nodes return to what the others serve").forRole(RoleOperator)
}

// CanaryQuery selects canaries.
type CanaryQuery struct {
	Limit int `json:"-" query:"limit" min:"1" max:"1000" default:"20"`
}

// DefaultCanaryFor is how long the nodes of a canary serve it before it goes to all.
const DefaultCanaryFor = "10m"

// CanaryStart is a configuration to give to a few nodes first. With a dry run it
// only says what would change.
type CanaryStart struct {
	Application
	Nodes       []string `json:"nodes" doc:"names of the nodes that get it first"`
	For         string   `json:"for,omitempty" doc:"how long they serve it before all nodes get it, 1s to 168h; by default 10m"`
	Guard       string   `json:"guard,omitempty" doc:"conditions separated by commas, such as errors<2%,ttft_p95<1.5x; by default errors<2%"`
	MinRequests uint64   `json:"min_requests,omitempty" doc:"how many requests each condition needs before all nodes get it; by default 20"`
}

// CanaryResult is what a CanaryStart has come to. Release is the canary's number, and
// nodes are those of the canary.
type CanaryResult struct {
	ApplyResult
	Canary *Canary `json:"canary" doc:"null if nothing changes, and for a dry run"`
}

// CanaryChange ends the canary.
type CanaryChange struct {
	ByAuthor
	Reason string `json:"reason,omitempty" maxlen:"500" doc:"for the audit log and the list of releases"`
}

// The states of a Canary. All but the first are final.
const (
	CanaryRunning    = "running"
	CanaryPromoted   = "promoted"
	CanaryTakenBack  = "taken_back" // its guard failed
	CanaryAborted    = "aborted"    // by an operator
	CanarySuperseded = "superseded" // someone else made a release
)

// Canary is a configuration that a few nodes get before all others.
type Canary struct {
	ID          string   `json:"id"`
	State       string   `json:"state" enum:"running,promoted,taken_back,aborted,superseded"`
	Release     uint64   `json:"release" doc:"its number, which is that of the release if it is promoted"`
	Nodes       []string `json:"nodes"`
	For         string   `json:"for"`
	Guard       string   `json:"guard"`
	MinRequests uint64   `json:"min_requests"`
	Models      []string `json:"models" doc:"the models that are compared: those that it changes"`
	Endpoints   []string `json:"endpoints" doc:"their endpoints that are new or were changed"`
	Author      string   `json:"author"`
	Reason      string   `json:"reason"`

	Started time.Time  `json:"started"`
	LeftMS  int64      `json:"left_ms" doc:"how long its nodes serve it at least"`
	Ended   *time.Time `json:"ended"`
	// Final is the release with which it has ended, 0 before.
	Final uint64 `json:"final_release"`
	// Next is what the daemon would do now, Why the reason; of one that has ended, why it has.
	Next    string              `json:"next" enum:",wait,hold,advance,take back" doc:"of a canary that is running: wait for time or requests, hold, advance (all nodes get it) or take back"`
	Why     string              `json:"why"`
	Results []CanaryGuardResult `json:"results" doc:"what was measured, for all models that it changes, each of them, and each endpoint that is new or was changed"`
}

// CanaryGuardResult is a condition and what was measured: Value at the canary's
// nodes, Others at the other nodes.
type CanaryGuardResult struct {
	Of string `json:"of" doc:"a model or an endpoint, empty for all models that the canary changes"`
	GuardResult
}

// ActiveCanary is a canary that is running, in short.
type ActiveCanary struct {
	ID      string   `json:"id"`
	Release uint64   `json:"release"`
	Nodes   []string `json:"nodes"`
	LeftMS  int64    `json:"left_ms"`
}
