package adminapi

import (
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// ApplyFiles compiles configuration files to a release.
func ApplyFiles() Operation[Application, ApplyResult] {
	return post[Application, ApplyResult]("/admin/apply", tagReleases, "Compile the daemon's files, or submitted ones, into a release").large()
}

// ListReleases lists the history.
func ListReleases() Operation[Page, []ReleaseInfo] {
	return get[Page, []ReleaseInfo]("/admin/releases", tagReleases, "Releases, newest first")
}

// GetRelease returns one release with its content.
func GetRelease() Operation[ByNumber, wire.Release] {
	return get[ByNumber, wire.Release]("/admin/releases/{number}", tagReleases, "One release as nodes get it; readers ignore fields that they do not know")
}

// DiffRelease says what a release changed.
func DiffRelease() Operation[DiffQuery, Comparison] {
	return get[DiffQuery, Comparison]("/admin/releases/{number}/diff", tagReleases, "What a release changed")
}

// RollBack makes a release with the content of an old one.
func RollBack() Operation[Rollback, Rollout] {
	return post[Rollback, Rollout]("/admin/releases/{number}/rollback", tagReleases, "Roll back to an earlier release")
}

// Application brings configuration files to the nodes.
type Application struct {
	Change
	// Models and Routing are the texts of the files; nil stands for the file
	// that the daemon itself reads.
	Models  *string `json:"models_yaml,omitempty" doc:"the text of models.yaml; without it the daemon's own file"`
	Routing *string `json:"routing_yaml,omitempty" doc:"the text of routing.yaml; without it the daemon's own file"`
	// PaidShadows confirms shadows onto endpoints that cost money.
	PaidShadows bool `json:"paid_shadows,omitempty" doc:"accept shadows onto paid endpoints, which are refused otherwise unless they are in service already"`
}

// ApplyResult is what an Application changed, or would change.
type ApplyResult struct {
	Rollout
	Changes  []string `json:"changes"`
	Warnings []string `json:"warnings"`
	// ModelsBefore and ModelsAfter count the models, RemovedModels are the ids of
	// those that are only in the first.
	ModelsBefore  int      `json:"models_before"`
	ModelsAfter   int      `json:"models_after"`
	RemovedModels []string `json:"removed_models"`
}

// Page is a part of a list, newest first.
type Page struct {
	// Limit is how many to list, 0 for the default.
	Limit int `json:"-" query:"limit" min:"1" max:"1000" default:"50"`
	// Before is a release or the id of an entry; 0 begins with the newest.
	Before uint64 `json:"-" query:"before" doc:"only what has a lower number"`
}

// ByNumber names one release.
type ByNumber struct {
	Number uint64 `json:"-" path:"number" min:"1"`
}

// ReleaseInfo is a release without its content.
type ReleaseInfo struct {
	Release uint64    `json:"release"`
	Time    time.Time `json:"time"`
	Author  string    `json:"author"`
	Reason  string    `json:"reason"`
	Hash    string    `json:"hash" doc:"SHA-256 of the content in hex: equal hashes route alike"`
	Models  int       `json:"models"`
	Current bool      `json:"current"`
	Canary  []string  `json:"canary,omitempty" doc:"the nodes that get it before all others, of one that is no release for all yet"`
}

// DiffQuery names two releases to compare.
type DiffQuery struct {
	ByNumber
	From uint64 `json:"-" query:"from" doc:"by default the previous release"`
}

// Comparison is what differs between the content of two releases, in words.
type Comparison struct {
	From    uint64   `json:"from"`
	To      uint64   `json:"to"`
	Changes []string `json:"changes"`
}

// Rollback names the release to return to.
type Rollback struct {
	ByNumber
	Change
}
