package wire

import (
	"encoding/json"
	"fmt"
	"time"
)

// AskLimits is a request with a LimitQuestion, which the daemon that grants
// answers with LimitStates.
const AskLimits = "lim.v1.ask"

// LimitQuestion asks how much of limits is used.
type LimitQuestion struct {
	V int `json:"v"`
	// Counters are what Limit.Counter returns for each.
	Counters []uint64 `json:"counters"`
	// Nodes asks for what each node has of them.
	Nodes bool `json:"nodes,omitempty"`
}

// LimitStates answers a LimitQuestion. Counters that the daemon does not have
// are missing.
type LimitStates struct {
	V      int          `json:"v"`
	States []LimitState `json:"states"`
}

// LimitState is how much of a limit is used. Amounts are in its unit.
type LimitState struct {
	Counter uint64 `json:"counter"`
	// Used is what was used in the window by all nodes, Leased what nodes hold
	// and have not used.
	Used   int64 `json:"used"`
	Leased int64 `json:"leased"`
	// Refused counts requests that the limit refused in the calendar period, or
	// for limits without one since 00:00 UTC.
	Refused int64 `json:"refused"`
	// Resets is when the calendar period ends, or when the first use leaves the
	// sliding window; zero for never, or if nothing is used.
	Resets time.Time `json:"resets,omitzero"`
	// Learning is set while what was used before is being found out.
	Learning bool `json:"learning,omitempty"`
	// Nodes have used or hold something.
	Nodes []NodeShare `json:"nodes,omitempty"`
}

// NodeShare is a node's part of a LimitState.
type NodeShare struct {
	Node    string `json:"node"`
	Used    int64  `json:"used"`
	Leased  int64  `json:"leased"`
	Refused int64  `json:"refused"`
}

// Encode returns the question as JSON.
func (q *LimitQuestion) Encode() ([]byte, error) {
	q.V = Version
	b, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("encode question about limits: %w", err)
	}
	return b, nil
}

// DecodeLimitQuestion reads a question.
func DecodeLimitQuestion(b []byte) (*LimitQuestion, error) {
	q := new(LimitQuestion)
	if err := decode(b, q, &q.V); err != nil {
		return nil, fmt.Errorf("question about limits: %w", err)
	}
	return q, nil
}

// Encode returns the answer as JSON.
func (s *LimitStates) Encode() ([]byte, error) {
	s.V = Version
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode the state of limits: %w", err)
	}
	return b, nil
}

// DecodeLimitStates reads an answer.
func DecodeLimitStates(b []byte) (*LimitStates, error) {
	s := new(LimitStates)
	if err := decode(b, s, &s.V); err != nil {
		return nil, fmt.Errorf("state of limits: %w", err)
	}
	return s, nil
}
