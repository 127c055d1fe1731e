package adminapi

import "time"

// ListRollouts lists rollouts.
func ListRollouts() Operation[RolloutQuery, []GuardedRollout] {
	return get[RolloutQuery, []GuardedRollout]("/admin/rollouts", tagTraffic, "Rollouts of endpoints, newest first")
}

// StartRollout begins a rollout.
func StartRollout() Operation[RolloutStart, GuardedRollout] {
	return post[RolloutStart, GuardedRollout]("/admin/rollouts", tagTraffic, "Move a model's traffic to one of its endpoints step by step, as long as a guard holds")
}

// PauseRollout keeps a rollout at its step.
func PauseRollout() Operation[RolloutChange, GuardedRollout] {
	return post[RolloutChange, GuardedRollout]("/admin/rollouts/pause", tagTraffic, "Keep a rollout at its step; the guard is still watched")
}

// ResumeRollout lets a paused rollout go on.
func ResumeRollout() Operation[RolloutChange, GuardedRollout] {
	return post[RolloutChange, GuardedRollout]("/admin/rollouts/resume", tagTraffic, "Resume a paused rollout; the time of its step begins again")
}

// AbortRollout takes a rollout back.
func AbortRollout() Operation[RolloutChange, GuardedRollout] {
	return post[RolloutChange, GuardedRollout]("/admin/rollouts/abort", tagTraffic, "End a rollout and restore the weights from before it")
}

// FinishRollout takes the last step.
func FinishRollout() Operation[RolloutChange, GuardedRollout] {
	return post[RolloutChange, GuardedRollout]("/admin/rollouts/finish", tagTraffic, "Take the last step of a rollout now, and end it")
}

// RolloutQuery selects rollouts.
type RolloutQuery struct {
	Model  string `json:"-" query:"model" doc:"id or alias of a model; all without it"`
	Active bool   `json:"-" query:"active" doc:"only those that are running or paused"`
	Limit  int    `json:"-" query:"limit" min:"1" max:"1000" default:"20"`
}

// The defaults of a RolloutStart, whose steps are then 1, 5, 25, 50 and 100 %.
const (
	DefaultRolloutEvery    = "2m"
	DefaultRolloutRequests = 20
)

// RolloutStart is a rollout to begin. Fields that are left out have defaults.
type RolloutStart struct {
	ByAuthor
	Reason string    `json:"reason,omitempty" maxlen:"500" doc:"for the audit log and the list of releases"`
	Model  string    `json:"model" doc:"id or alias of a model"`
	To     string    `json:"to" doc:"the endpoint that gets the traffic: its id, or the part of it after the colon"`
	Steps  []float64 `json:"steps,omitempty" doc:"shares of the model's traffic in percent, rising; by default 1, 5, 25, 50, 100"`
	Every  string    `json:"every,omitempty" doc:"how long each step takes at least, 1s to 168h; by default 2m"`
	Guard  string    `json:"guard,omitempty" doc:"conditions separated by commas, such as errors<2%,ttft_p95<2s,cost<1.2x; by default errors<2%"`
	// MinRequests is how many requests each condition needs in a step; 0 is the default.
	MinRequests uint64 `json:"min_requests,omitempty" doc:"how many requests each condition needs before the next step; by default 20"`
}

// RolloutChange names a model whose rollout to change.
type RolloutChange struct {
	ByAuthor
	Reason string `json:"reason,omitempty" maxlen:"500" doc:"for the audit log"`
	Model  string `json:"model" doc:"id or alias of a model"`
}

// The states of a GuardedRollout. All but the first two are final.
const (
	RolloutRunning    = "running"
	RolloutPaused     = "paused"
	RolloutCompleted  = "completed"
	RolloutTakenBack  = "taken_back" // its guard failed
	RolloutAborted    = "aborted"    // by an operator
	RolloutSuperseded = "superseded" // someone else changed the model's traffic
)

// GuardedRollout moves the traffic of a model to one of its endpoints.
type GuardedRollout struct {
	ID       string    `json:"id"`
	Model    string    `json:"model"`
	Endpoint string    `json:"endpoint"`
	State    string    `json:"state" enum:"running,paused,completed,taken_back,aborted,superseded"`
	Steps    []float64 `json:"steps" doc:"in percent"`
	// Step is the number of the current or last one, from 1. Share is what the
	// endpoint gets by it, in percent; 0 once the rollout was taken back.
	Step        int     `json:"step"`
	Share       float64 `json:"share" doc:"what the rollout gives the endpoint, in percent; 0 when it was taken back, aborted or superseded"`
	Every       string  `json:"every"`
	Guard       string  `json:"guard"`
	MinRequests uint64  `json:"min_requests"`
	Author      string  `json:"author"`
	Reason      string  `json:"reason"`

	Started time.Time  `json:"started"`
	Since   time.Time  `json:"since" doc:"when the step began, or the rollout was resumed"`
	LeftMS  int64      `json:"left_ms" doc:"how long the step takes at least"`
	Ended   *time.Time `json:"ended"`
	// Next is what the daemon would do now, Why the reason; of one that has ended, why it has.
	Next    string          `json:"next" enum:",wait,hold,advance,take back" doc:"of a rollout that has not ended: wait for time or requests, hold, advance or take back"`
	Why     string          `json:"why"`
	Results []GuardResult   `json:"results" doc:"what was measured in this step"`
	Log     []RolloutAction `json:"log"`
}

// ActiveRollout is a rollout that has not ended, in short.
type ActiveRollout struct {
	Model    string  `json:"model"`
	Endpoint string  `json:"endpoint"`
	State    string  `json:"state" enum:"running,paused"`
	Step     int     `json:"step" doc:"from 1"`
	Steps    int     `json:"steps" doc:"how many there are"`
	Share    float64 `json:"share" doc:"what the endpoint gets, in percent"`
}

// GuardResult is a condition of a guard and what was measured.
type GuardResult struct {
	Guard    string `json:"guard"`
	State    string `json:"state" enum:"ok,failed,unclear,waiting"`
	Value    string `json:"value" doc:"of the new endpoint"`
	Others   string `json:"others" doc:"of the other endpoints"`
	Requests uint64 `json:"requests" doc:"how many requests value is of"`
}

// RolloutAction is a change of a rollout.
type RolloutAction struct {
	Time    time.Time `json:"time"`
	Release uint64    `json:"release" doc:"the release that it made, 0 for none"`
	Share   float64   `json:"share" doc:"what the endpoint has since then, in percent"`
	What    string    `json:"what"`
}
