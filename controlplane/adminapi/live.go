package adminapi

// GetLive says what the nodes report.
func GetLive() Operation[None, LiveState] {
	return get[None, LiveState]("/admin/live", tagState, "What the nodes report at the moment; with Accept: text/event-stream, again whenever it changes, as server-sent events")
}

// MaxLive bounds the nodes and the endpoints of a LiveState.
const MaxLive = 100

// LiveState is what the nodes report at the moment. Its size does not depend on how
// many nodes and endpoints there are.
type LiveState struct {
	Status    string     `json:"status" enum:"healthy,degraded"`
	Release   uint64     `json:"release"`
	Published uint64     `json:"published_release"`
	Nodes     NodeCounts `json:"nodes"`
	// Applied counts the live nodes that serve Release.
	Applied int `json:"applied"`
	// Requests were taken in by the live nodes since each of them started.
	Requests uint64    `json:"requests"`
	InFlight int64     `json:"in_flight"`
	Problems []Problem `json:"problems"`
	// Fleet are nodes that are not gone, at most MaxLive; those that are stale,
	// or rejected a release, come first.
	Fleet []LiveNode `json:"fleet"`
	// Endpoints are those that are not up, without those that have no weight, at
	// most MaxLive.
	Endpoints []Endpoint `json:"endpoints"`
}

// LiveNode is one node of a LiveState.
type LiveNode struct {
	Node         string `json:"node"`
	State        string `json:"state" enum:"live,stale"`
	Version      string `json:"version"`
	Release      uint64 `json:"release"`
	ReleaseState string `json:"release_state" enum:"none,applied,rejected"`
	Reason       string `json:"reason"`
	InFlight     int64  `json:"in_flight"`
	Requests     uint64 `json:"requests"`
	Draining     bool   `json:"draining"`
}
