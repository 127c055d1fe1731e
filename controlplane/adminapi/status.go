package adminapi

import (
	"encoding/json"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

// GetIndex lists all paths.
func GetIndex() Operation[None, Index] {
	return get[None, Index]("/", tagState, "All paths").public()
}

// GetHealth is for probes.
func GetHealth() Operation[None, Health] {
	return get[None, Health]("/health", tagState, "Health of the daemon; always 200").public()
}

// GetStatus is GetHealth in more detail.
func GetStatus() Operation[None, Status] {
	return get[None, Status]("/admin/status", tagState, "Status of the daemon in detail")
}

// GetOpenAPI returns the OpenAPI document.
func GetOpenAPI() Operation[None, json.RawMessage] {
	return get[None, json.RawMessage]("/admin/openapi.json", tagState, "This document")
}

// ListNodes lists the nodes.
func ListNodes() Operation[None, []Node] {
	return get[None, []Node]("/admin/nodes", tagState, "All nodes")
}

// GetNode returns one node.
func GetNode() Operation[ByID, Node] {
	return get[ByID, Node]("/admin/nodes/{id}", tagState, "One node")
}

// ByID names one thing.
type ByID struct {
	ID string `json:"-" path:"id"`
}

// Index lists the methods of every path.
type Index struct {
	Name    string              `json:"name"`
	Version string              `json:"version"`
	Paths   map[string][]string `json:"paths"`
}

// The values of Health.Status.
const (
	Healthy  = "healthy"
	Degraded = "degraded"
)

// The states of a database, as in Health. In Status, an error comes with its
// cause: "error: connection refused".
const (
	StoreOK    = "ok"
	StoreError = "error"
	StoreNone  = "none"
)

// Health is what everybody may know of the daemon.
type Health struct {
	Status    string     `json:"status" enum:"healthy,degraded"`
	Version   string     `json:"version"`
	Release   uint64     `json:"release"`
	Published uint64     `json:"published_release"`
	NATS      string     `json:"nats"`
	Database  string     `json:"database" enum:"ok,error"`
	LogStore  string     `json:"log_store" enum:"ok,error,none"`
	Nodes     NodeCounts `json:"nodes"`
	// Problems are the codes of what is wrong; Status has the causes.
	Problems []string `json:"problems"`
}

// The codes of problems.
const (
	ProblemNATS          = "nats"           // there is no connection
	ProblemNATSStore     = "nats_store"     // NATS does not store releases, or usage events
	ProblemSigning       = "signing"        // two daemons sign with different keys
	ProblemDatabase      = "database"       // it does not answer, or is read-only or full
	ProblemLogStore      = "log_store"      // likewise
	ProblemNoRelease     = "no_release"     // nothing was ever published
	ProblemCollector     = "collector"      // usage events are not collected
	ProblemUsageStream   = "usage_stream"   // NATS has little room left for usage events or dead letters
	ProblemDisk          = "disk"           // the disk of the SQLite file is nearly full
	ProblemNode          = "node"           // a node's disk, or its RELEASE_PUBLIC_KEY
	ProblemMissingSecret = "missing_secret" // a model's secret is on no node
	ProblemLimits        = "limits"         // less of limits is granted than is left
)

// Problem is something that an operator should know and mend.
type Problem struct {
	Code    string `json:"code" enum:"nats,nats_store,signing,database,log_store,no_release,collector,usage_stream,disk,node,missing_secret,limits"`
	Message string `json:"message"`
}

// Status is the state of the daemon and of what it needs.
type Status struct {
	Version string `json:"version"`
	// Release is the current one, Published the one that NATS has.
	Release   uint64     `json:"release"`
	Published uint64     `json:"published_release"`
	Epoch     uint64     `json:"epoch"`
	Models    int        `json:"models"`
	Endpoints int        `json:"endpoints"`
	Served    Served     `json:"served"`
	Overrides Overrides  `json:"overrides"`
	Nodes     NodeCounts `json:"nodes"`
	NATS      string     `json:"nats"`
	Database  string     `json:"database"`
	LogStore  string     `json:"log_store"`
	Keys      int        `json:"keys"`
	Started   time.Time  `json:"started"`
	// Rollouts are those that have not ended.
	Rollouts []ActiveRollout `json:"rollouts"`
	// Canary is a configuration that a few nodes get first.
	Canary   *ActiveCanary `json:"canary" doc:"null if none is running"`
	Problems []Problem     `json:"problems"`
}

// Served counts what gets requests at some live node at least.
type Served struct {
	Models    int `json:"models"`
	Endpoints int `json:"endpoints"`
}

// Overrides counts what operators have set beside the files: weights and endpoints
// that are disabled, and models with another policy or affinity.
type Overrides struct {
	Weights  int `json:"weights"`
	Disabled int `json:"disabled"`
	Policies int `json:"policies"`
}

// NodeCounts counts the nodes that send heartbeats and those that stopped.
type NodeCounts struct {
	Live  int `json:"live"`
	Stale int `json:"stale"`
}

// What a node is, as Node.State.
const (
	Live  = "live"
	Stale = "stale"
	Gone  = "gone"
)

// Node is what the daemon knows of a data-plane node.
type Node struct {
	Node         string `json:"node"`
	State        string `json:"state" enum:"live,stale,gone"`
	Version      string `json:"version"`
	Release      uint64 `json:"release"`
	ReleaseState string `json:"release_state" enum:"none,applied,rejected"`
	// Canary is what it serves before all others; Release is then what it returns to.
	Canary uint64 `json:"canary" doc:"the release that it serves before all others, 0 for none"`
	// Reason says why a release was rejected.
	Reason string `json:"reason"`
	// Source is where the release came from: nats or disk.
	Source string `json:"source"`
	// Keys is the generation of the key table.
	Keys     uint64 `json:"keys"`
	InFlight int64  `json:"in_flight"`
	Requests uint64 `json:"requests"`
	// Usage events since the node started.
	UsageIssued  uint64 `json:"usage_issued"`
	UsagePending uint64 `json:"usage_pending"`
	UsageLost    uint64 `json:"usage_lost"`
	// MissingSecrets are endpoints that are out of service there.
	MissingSecrets []wire.MissingSecret `json:"missing_secrets"`
	// Troubled are endpoints that do not work as they should there.
	Troubled []wire.EndpointState `json:"troubled"`
	// Notes say what else is wrong there.
	Notes []string `json:"notes"`
	// LastSeenMS is the age of the last heartbeat in milliseconds.
	LastSeenMS int64 `json:"last_seen_ms"`
	UptimeS    int64 `json:"uptime_s"`
	Draining   bool  `json:"draining"`
	// ClockSkewMS includes the time that the heartbeat took.
	ClockSkewMS int64 `json:"clock_skew_ms" doc:"how far the node's clock is ahead of the daemon's"`
}
