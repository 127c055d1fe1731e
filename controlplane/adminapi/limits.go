package adminapi

import (
	"net/http"
	"time"
)

// ListLimits lists limits.
func ListLimits() Operation[LimitQuery, []HeldLimit] {
	return get[LimitQuery, []HeldLimit]("/admin/limits", tagLimits, "Limits of keys, users, teams and the gateway")
}

// SetLimits sets limits.
func SetLimits() Operation[LimitChange, ChangedLimits] {
	return operation[LimitChange, ChangedLimits](http.MethodPut, "/admin/limits", tagLimits, "Set some limits of a holder; the others stay")
}

// ClearLimits removes limits.
func ClearLimits() Operation[LimitRemoval, ChangedLimits] {
	return operation[LimitRemoval, ChangedLimits](http.MethodDelete, "/admin/limits", tagLimits, "Remove limits of a holder")
}

// ListTeams lists the teams.
func ListTeams() Operation[None, []Team] {
	return get[None, []Team]("/admin/teams", tagLimits, "All teams, by name")
}

// GetTeam returns one team.
func GetTeam() Operation[ByID, Team] {
	return get[ByID, Team]("/admin/teams/{id}", tagLimits, "One team, by id or name")
}

// CreateTeam makes a team.
func CreateTeam() Operation[TeamCreation, ChangedTeam] {
	return post[TeamCreation, ChangedTeam]("/admin/teams", tagLimits, "Make a team").created()
}

// ChangeTeam changes a team.
func ChangeTeam() Operation[TeamPatch, ChangedTeam] {
	return operation[TeamPatch, ChangedTeam](http.MethodPatch, "/admin/teams/{id}", tagLimits, "Change a team, by id or name")
}

// DeleteTeam removes a team.
func DeleteTeam() Operation[TeamRemoval, ChangedTeam] {
	return operation[TeamRemoval, ChangedTeam](http.MethodDelete, "/admin/teams/{id}", tagLimits, "Delete a team, by id or name")
}

// Limit is an upper bound on what a key, a user, a team or the gateway may use.
// Of its fields kind, reset, model and provider say which limit it is.
type Limit struct {
	Kind     string `json:"kind" enum:"rpm,rpd,tpm,tpd,concurrency,budget" doc:"requests or tokens per minute or day, requests in flight, or cost"`
	Value    string `json:"value" doc:"a number such as 600, 20k or 2M, for a budget an amount in USD such as 50; in a change, none removes the limit"`
	Reset    string `json:"reset,omitempty" doc:"when a budget starts again at 00:00 UTC: day, week, month or total (never)"`
	Model    string `json:"model,omitempty" doc:"the only model to which it applies"`
	Provider string `json:"provider,omitempty" doc:"the only provider to which it applies"`
	OnOutage string `json:"on_outage,omitempty" doc:"closed, open or share: what nodes do when no daemon grants; by default closed for budgets, else share"`
}

// What holds a limit, as HeldLimit.Holder.
const (
	HolderKey     = "key"
	HolderUser    = "user"
	HolderTeam    = "team"
	HolderGateway = "gateway"
	// HolderEndpoint has its provider's limits, which models.yaml sets.
	HolderEndpoint = "endpoint"
)

// What HeldLimit.State may be.
const (
	LimitOK       = "ok"
	LimitSpent    = "spent"    // requests are refused until ResetsAt
	LimitLearning = "learning" // what was used before is being found out: nodes keep what they have
	LimitOutage   = "outage"   // no daemon grants: nodes do what OnOutage says
)

// HeldLimit is a limit with who holds it and how much of it is used. Used,
// leased and left add up to its value, unless it was lowered below what was used.
type HeldLimit struct {
	Holder string `json:"holder" enum:"key,user,team,gateway,endpoint"`
	ID     string `json:"id" doc:"the key's or the team's id, the user's name; empty for the gateway"`
	Name   string `json:"name" doc:"the key's or the team's name"`
	Limit
	State    string      `json:"state" enum:"ok,spent,learning,outage" doc:"spent: requests are refused; learning: what was used before is being found out; outage: no daemon grants shares, nodes do what on_outage says"`
	Used     string      `json:"used" doc:"what was used in the window, requests in flight for concurrency; in USD for a budget; empty in an outage"`
	Leased   string      `json:"leased" doc:"what nodes hold and have not used"`
	Left     string      `json:"left" doc:"what no node holds"`
	Refused  int64       `json:"refused" doc:"requests that the limit refused in the period of a budget, rpd or tpd, else since 00:00 UTC"`
	Alert    *LimitAlert `json:"alert" doc:"the greatest threshold that was crossed in this period; null for none"`
	ResetsAt *time.Time  `json:"resets_at" doc:"when the period ends, or when the first use leaves the window of rpm and tpm; null for never"`
	Nodes    []NodeLimit `json:"nodes" doc:"what each node has, if limits of one holder were asked for"`
}

// LimitAlert says that a threshold was crossed.
type LimitAlert struct {
	Percent  int       `json:"percent"`
	Time     time.Time `json:"time"`
	Delivery string    `json:"delivery" enum:"none,pending,delivered,failed" doc:"what became of the webhook; none: there was none"`
}

// NodeLimit is a node's part of a limit.
type NodeLimit struct {
	Node    string `json:"node"`
	Used    string `json:"used"`
	Leased  string `json:"leased"`
	Refused int64  `json:"refused"`
}

// LimitQuery selects limits.
type LimitQuery struct {
	Of string `json:"-" query:"of" maxlen:"250" doc:"key:ID, user:NAME, team:NAME, model:ID, endpoint:ID or gateway, or the name alone where only one of them has it; all limits without it. For a model, also those of its endpoints. For a key, also those of its user, its team and the gateway"`
}

// LimitChange sets limits.
type LimitChange struct {
	KeyChange
	Of     string  `json:"of,omitempty" maxlen:"250" doc:"key:ID, user:NAME, team:NAME, model:ID or gateway, or the name alone where only one of them has it; by default the gateway"`
	Limits []Limit `json:"limits" doc:"limits to set; the holder's others stay"`
}

// LimitRemoval removes limits.
type LimitRemoval struct {
	KeyChange
	Of       string `json:"of,omitempty" query:"of" maxlen:"250" doc:"as for PUT"`
	Kind     string `json:"kind,omitempty" query:"kind" doc:"only limits of that kind; all kinds by default"`
	Model    string `json:"model,omitempty" query:"model" maxlen:"200" doc:"only limits for that model"`
	Provider string `json:"provider,omitempty" query:"provider" maxlen:"200" doc:"only limits for that provider"`
}

// ChangedLimits are a holder's limits after a change.
type ChangedLimits struct {
	Limits []HeldLimit  `json:"limits"`
	Nodes  []NodeResult `json:"nodes"`
}

// Team is a group of users and keys with limits of its own.
type Team struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Owner    string            `json:"owner" doc:"who answers for the team"`
	Models   []string          `json:"models" doc:"the only models allowed to the team's keys; none means no restriction"`
	Limits   []Limit           `json:"limits"`
	Metadata map[string]string `json:"metadata" doc:"for reports, such as a cost centre"`
	Users    []string          `json:"users" doc:"whose keys belong to the team unless they name another"`
	Keys     []string          `json:"keys" doc:"ids of the keys that belong to the team, also through their users"`
	Created  time.Time         `json:"created"`
}

// TeamCreation makes a team.
type TeamCreation struct {
	KeyChange
	Name     string            `json:"name" maxlen:"200"`
	Owner    string            `json:"owner,omitempty" maxlen:"200"`
	Models   []string          `json:"models,omitempty"`
	Limits   []Limit           `json:"limits,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Users    []string          `json:"users,omitempty"`
}

// TeamPatch changes a team; what is missing stays as it is.
type TeamPatch struct {
	ByID
	KeyChange
	Name     *string            `json:"name,omitempty" maxlen:"200"`
	Owner    *string            `json:"owner,omitempty" maxlen:"200"`
	Models   *[]string          `json:"models,omitempty"`
	Limits   []Limit            `json:"limits,omitempty" doc:"limits to set; the team's others stay"`
	Metadata *map[string]string `json:"metadata,omitempty"`
	Users    *[]string          `json:"users,omitempty"`
}

// TeamRemoval deletes a team.
type TeamRemoval struct {
	ByID
	KeyChange
	Force bool `json:"force,omitempty" query:"force" doc:"although it has users or keys, which belong to no team afterwards"`
}

// ChangedTeam is a team after a change, and what the nodes did with it.
type ChangedTeam struct {
	Team
	Nodes []NodeResult `json:"nodes"`
}
