// Package adminapi is the admin API of the control plane written down once: its
// operations, and the types of what each takes and answers. The server, its
// OpenAPI document, the client and the CLI are all made from them.
//
// A request type says by tags where its fields travel: path, query, header, or
// json for the body; a field may have both json and query. Further tags
// constrain a field and describe it in the OpenAPI document: min, max, maxlen,
// enum, default, doc. Without omitempty or omitzero a field is always present.
package adminapi

import (
	"net/http"
	"time"
)

// Operation is a method of a path that takes an In and answers with an Out.
type Operation[In, Out any] struct{ Description }

// Description is what is known of an Operation without its types.
type Description struct {
	Method string
	// Path begins with / and has its parameters in braces.
	Path    string
	Tag     string
	Summary string
	// Status is that of a good answer.
	Status int
	// Role is the least role of an operator that may use it, "" for operations
	// that operators have no part in.
	Role string
	// Public operations need no token, and ignore parameters that they do not know.
	Public bool
	// MaxBody bounds the request's body, in bytes.
	MaxBody int64
}

// Bounds of requests.
const (
	// MaxBody is the usual bound of a request's body, MaxFiles that of one with
	// configuration files or lists of keys.
	MaxBody  = 1 << 20
	MaxFiles = 32 << 20
)

// None is a request without fields.
type None struct{}

// Error is the body of every answer that is not a success.
type Error struct {
	Error ErrorDetail `json:"error"`
}

// ErrorDetail says what went wrong. Code is the HTTP status.
type ErrorDetail struct {
	Code     int            `json:"code"`
	Message  string         `json:"message"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// ByAuthor says who makes a change.
type ByAuthor struct {
	Author string `json:"-" header:"X-Gateway-Author" maxlen:"200" doc:"who makes the change, for the audit log; by default admin"`
}

// Change holds the fields that every change of the routing takes.
type Change struct {
	ByAuthor
	Reason string `json:"reason,omitempty" maxlen:"1000" doc:"for the audit log and the list of releases"`
	// WaitMS is how long the daemon waits for all live nodes, in milliseconds; 0
	// does not wait.
	WaitMS int64 `json:"wait_ms,omitempty" min:"0" max:"600000" doc:"how long to wait for all live nodes"`
	// IfRelease refuses the change unless this release is current; 0 does not check.
	IfRelease uint64 `json:"if_release,omitempty" doc:"refuse unless this release is current"`
	// DryRun only says what would change.
	DryRun bool `json:"dry_run,omitempty" query:"dry_run" doc:"only report what would change"`
}

// Wait is WaitMS as a duration.
func (c Change) Wait() time.Duration { return time.Duration(c.WaitMS) * time.Millisecond }

// What a node did with a release, as NodeResult.State.
const (
	Applied  = "applied"
	Rejected = "rejected"
	Pending  = "pending"
)

// Rollout is the release after a change, and what each live node did with it
// within the time that the daemon was asked to wait.
type Rollout struct {
	Release uint64 `json:"release"`
	// Changed is false if there was nothing to change.
	Changed bool         `json:"changed"`
	Nodes   []NodeResult `json:"nodes"`
	// Changes are what a dry run would change, in words.
	Changes []string `json:"changes,omitempty"`
}

// NodeResult is one live node of a Rollout.
type NodeResult struct {
	Node  string `json:"node"`
	State string `json:"state" enum:"applied,rejected,pending"`
	// MS is how long the node took, or has been waited for, in milliseconds.
	MS int64 `json:"ms"`
	// Reason says why the node rejected the release, or what is known of a silent one.
	Reason string `json:"reason,omitempty"`
}

// The kinds of operations, by tag, in the document's order.
const (
	tagState    = "state"
	tagTraffic  = "traffic"
	tagReleases = "releases"
	tagKeys     = "keys"
	tagLimits   = "limits"
	tagManaged  = "management"
	tagLog      = "log"

	tagOperators = "operators"
	tagSessions  = "sessions"
)

// Tag is a group of operations.
type Tag struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Tags lists the groups.
func Tags() []Tag {
	return []Tag{
		{tagState, "Status of the daemon and its nodes"},
		{tagTraffic, "Models, endpoints and their weights"},
		{tagReleases, "Releases of the configuration"},
		{tagKeys, "API keys"},
		{tagLimits, "Limits, and the teams that share them"},
		{tagManaged, "OpenRouter's management API, for programs: the bearer token is a key with the role management"},
		{tagLog, "Request log, usage and audit log"},
		{tagOperators, "Operators, who use this API with tokens of their own"},
		{tagSessions, "Sign-in of browsers to the console. The cookie stands for the token in all of /admin; requests with it that change something need the header X-Gateway-Console"},
	}
}

func get[In, Out any](path, tag, summary string) Operation[In, Out] {
	return operation[In, Out](http.MethodGet, path, tag, summary)
}

func post[In, Out any](path, tag, summary string) Operation[In, Out] {
	return operation[In, Out](http.MethodPost, path, tag, summary)
}

func operation[In, Out any](method, path, tag, summary string) Operation[In, Out] {
	return Operation[In, Out]{Description{Method: method, Path: path, Tag: tag, Summary: summary, Role: usualRole(method, tag), Status: http.StatusOK, MaxBody: MaxBody}}
}

// usualRole is what an operation needs: who may read may read almost all, and
// what changes traffic is less than what changes anything else.
func usualRole(method, tag string) string {
	switch {
	case tag == tagManaged:
		return ""
	case method == http.MethodGet:
		return RoleViewer
	case tag == tagTraffic:
		return RoleOperator
	}
	return RoleAdmin
}

func (o Operation[In, Out]) forRole(role string) Operation[In, Out] { o.Role = role; return o }

func (o Operation[In, Out]) public() Operation[In, Out] { o.Public, o.Role = true, ""; return o }

func (o Operation[In, Out]) created() Operation[In, Out] { o.Status = http.StatusCreated; return o }

func (o Operation[In, Out]) large() Operation[In, Out] { o.MaxBody = MaxFiles; return o }
