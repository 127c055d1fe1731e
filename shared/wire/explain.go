package wire

import (
	"encoding/json"
	"fmt"
)

// Question asks a node what it would do with a request. Nothing is sent to any
// upstream.
type Question struct {
	V int `json:"v"`
	// Path is that of the API below /v1, such as chat/completions.
	Path string `json:"path"`
	// KeyID is the API key's id, "" for an anonymous administrator.
	KeyID string `json:"key_id,omitempty"`
	// Header holds the request's headers, Body its body.
	Header map[string]string `json:"header,omitempty"`
	Body   json.RawMessage   `json:"body"`
}

// Explanation is a node's answer to a Question.
type Explanation struct {
	V       int    `json:"v"`
	Node    string `json:"node"`
	Release uint64 `json:"release"`
	// Canary: the node serves the release before all others.
	Canary bool `json:"canary,omitempty"`
	// Status and Message are what the client would be told at once, 0 and "" if
	// the request would be sent on.
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
	// Models are those that may answer, in order.
	Models []string `json:"models"`
	// Choices are how the endpoints of these models are chosen.
	Choices []Choice `json:"choices,omitempty"`
	// Tried are the endpoints in the order in which they would be tried now.
	// Where chance decides, it is one draw of many.
	Tried []Candidate `json:"tried"`
	// Dropped names what of the request the first of them would not get.
	Dropped []string `json:"dropped,omitempty"`
	// Left are the other endpoints of the models, with why they are not tried.
	Left []Candidate `json:"left"`
	// Queues are those of the models in which requests wait while all endpoints are
	// full.
	Queues []QueueState `json:"queues,omitempty"`
	// Hedges are the models of which a second endpoint is asked, too, where the
	// first is slow.
	Hedges []HedgeState `json:"hedges,omitempty"`
}

// HedgeState is when a model's requests are hedged on one node.
type HedgeState struct {
	Model string `json:"model"`
	// AfterMS is how long a stream has no content by then; 0 while the node has seen
	// too few to know the 95th percentile.
	AfterMS float64 `json:"after_ms,omitempty"`
	// Budget is the share of the requests that may be.
	Budget float64 `json:"budget"`
	// Never says why this request is not.
	Never string `json:"never,omitempty"`
}

// QueueState is a model's queue on one node.
type QueueState struct {
	Model string `json:"model"`
	// Size is how many requests may wait, WaitMS for how long, Waiting how many do.
	Size    int   `json:"size"`
	WaitMS  int64 `json:"wait_ms"`
	Waiting int64 `json:"waiting"`
}

// Choice is how an endpoint of a model is chosen for a request.
type Choice struct {
	Model    string `json:"model"`
	Policy   string `json:"policy"`
	Affinity string `json:"affinity"`
	// KeptBy is what keeps this request to one endpoint: session or prefix, ""
	// for nothing.
	KeptBy string `json:"kept_by,omitempty"`
}

// Candidate is an endpoint that a request may be sent to.
type Candidate struct {
	Model    string  `json:"model"`
	Endpoint string  `json:"endpoint"`
	Provider string  `json:"provider"`
	Weight   float64 `json:"weight"`
	// Measured is what the model's policy goes by at the endpoint, "" for its weight.
	Measured string `json:"measured,omitempty"`
	// Reason says why it is not tried, or why although it is not in order.
	Reason string `json:"reason,omitempty"`
}

// Encode returns the question as JSON.
func (q *Question) Encode() ([]byte, error) {
	q.V = Version
	b, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("encode question: %w", err)
	}
	return b, nil
}

// DecodeQuestion reads a question.
func DecodeQuestion(b []byte) (*Question, error) {
	q := new(Question)
	if err := decode(b, q, &q.V); err != nil {
		return nil, fmt.Errorf("question: %w", err)
	}
	return q, nil
}

// Encode returns the explanation as JSON.
func (e *Explanation) Encode() ([]byte, error) {
	e.V = Version
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode explanation: %w", err)
	}
	return b, nil
}

// DecodeExplanation reads an explanation.
func DecodeExplanation(b []byte) (*Explanation, error) {
	e := new(Explanation)
	if err := decode(b, e, &e.V); err != nil {
		return nil, fmt.Errorf("explanation: %w", err)
	}
	return e, nil
}
