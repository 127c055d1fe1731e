package wire

import (
	"encoding/json"
	"fmt"
)

// What a node says of a document that it was offered.
const (
	StateNone     = "none"     // nothing to serve yet
	StateApplied  = "applied"  // serves it
	StateRejected = "rejected" // keeps what it had, Reason says why
)

// Where a node's current release came from.
const (
	SourceNATS = "nats"
	SourceDisk = "disk"
)

// NodeStatus is a node's heartbeat, sent every two seconds and at once after
// each release or key table that it applied or rejected.
type NodeStatus struct {
	V    int    `json:"v"`
	Node string `json:"node"`
	// Instance differs for every start of the process.
	Instance string `json:"instance"`
	Version  string `json:"version"`
	// Started and Time are milliseconds since 1970.
	Started int64  `json:"started_ms"`
	Time    int64  `json:"time_ms"`
	Epoch   uint64 `json:"epoch"`
	// Release is the number in service, Offered the last one seen, whose fate
	// State and Reason describe it.
	Release uint64 `json:"release"`
	Offered uint64 `json:"offered"`
	State   string `json:"state"`
	Reason  string `json:"reason,omitempty"`
	// RejectedHash is that of the release that State rejects.
	RejectedHash string `json:"rejected_hash,omitempty"`
	Source       string `json:"source"`
	// Canary is what the node makes of canaries, beside the Release to which it
	// returns; nil from a node that takes none.
	Canary *CanaryStatus `json:"canary,omitempty"`
	Keys   uint64        `json:"keys"`
	// Draining means that the node is shutting down.
	Draining bool `json:"draining,omitempty"`
	// Stopped means that this is the last status of the Instance.
	Stopped bool `json:"stopped,omitempty"`

	InFlight int64  `json:"in_flight"`
	Requests uint64 `json:"requests"`
	// Usage counts events.
	Usage UsageCounts `json:"usage"`
	// Missing lists endpoints that are out of service because a secret is missing.
	Missing []MissingSecret `json:"missing,omitempty"`
	// Troubled lists endpoints that are not in order there: at most
	// MaxTroubled. All others are.
	Troubled []EndpointState `json:"troubled,omitempty"`
	// Counts are those of the endpoints of the models that Beat.Watch asks for.
	Counts []EndpointCounts `json:"counts,omitempty"`
	// Notes say what else is wrong there: the disk of STATE_DIR is nearly full or
	// takes no writes, documents are not signed by a trusted key.
	Notes []string `json:"notes,omitempty"`
}

// MaxTroubled bounds the heartbeat.
const MaxTroubled = 100

// EndpointState is what a node finds wrong with an endpoint.
type EndpointState struct {
	Endpoint string `json:"endpoint"`
	// State is open or half_open for a breaker, cooling after a refusal that
	// says when to come back, probe_failed, full, or unprobed for one that works
	// and has no health check at the path that is asked for.
	State string `json:"state"`
	// Reason is the last fault, without anything secret.
	Reason string `json:"reason,omitempty"`
	// Until is when it is tried again, milliseconds since 1970, 0 for when
	// someone asks or a probe succeeds.
	Until    int64 `json:"until_ms,omitempty"`
	InFlight int64 `json:"in_flight"`
}

// UsageCounts is the balance of a node's usage events since it started:
// Issued = Acked + Pending + Lost.
type UsageCounts struct {
	Issued uint64 `json:"issued"`
	// Acked events were handed to NATS. Of these Stored are known to be in the
	// primary store, and DeadLettered to be refused by it; the others are on
	// their way.
	Acked        uint64 `json:"acked"`
	Stored       uint64 `json:"stored,omitempty"`
	DeadLettered uint64 `json:"dead_lettered,omitempty"`
	Pending      uint64 `json:"pending"`
	Lost         uint64 `json:"lost"`
	// Spooled is how many bytes of files keep events that are not known to be
	// committed, in complete segments.
	Spooled int64 `json:"spooled_bytes,omitempty"`
}

// MissingSecret names an endpoint and the variable that its node lacks.
type MissingSecret struct {
	Endpoint string `json:"endpoint"`
	Variable string `json:"variable"`
}

// Encode returns the status as JSON.
func (s *NodeStatus) Encode() ([]byte, error) {
	s.V = Version
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode node status: %w", err)
	}
	return b, nil
}

// DecodeNodeStatus reads a status.
func DecodeNodeStatus(b []byte) (*NodeStatus, error) {
	s := new(NodeStatus)
	if err := decode(b, s, &s.V); err != nil {
		return nil, fmt.Errorf("node status: %w", err)
	}
	return s, nil
}
