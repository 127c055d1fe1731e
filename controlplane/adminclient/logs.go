package adminclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// UsageRow is what was used in all by one model, provider, endpoint, node, key
// or user.
type UsageRow struct {
	Group            string `json:"group"`
	RequestCount     int64  `json:"request_count"`
	ErrorCount       int64  `json:"error_count"`
	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	TotalTokens      int64  `json:"total_tokens"`
	// CostUSD is an exact decimal.
	CostUSD string `json:"cost_usd"`
}

// Usage sums up since a time or a span back, such as 24h or 7d.
func (c *Client) Usage(ctx context.Context, by, since string) ([]UsageRow, error) {
	return listOf[UsageRow](ctx, c, call{method: http.MethodGet, path: "usage", query: url.Values{"by": {by}, "since": {since}}})
}

// LogRow is a row of the request log as the API sends it.
type LogRow struct {
	// Raw is the whole object.
	Raw json.RawMessage `json:"-"`

	RequestID    string `json:"request_id"`
	ReceivedAt   string `json:"received_at"`
	ModelID      string `json:"model_id"`
	Endpoint     string `json:"endpoint"`
	UserID       string `json:"user_id"`
	Status       int    `json:"status_code"`
	Outcome      string `json:"outcome"`
	LatencyMS    int64  `json:"latency_ms"`
	PromptTokens *int64 `json:"prompt_tokens"`
	Completion   *int64 `json:"completion_tokens"`
	CostUSD      string `json:"cost_usd"`
	Error        string `json:"error"`
}

// UnmarshalJSON keeps the text beside what is taken out of it.
func (r *LogRow) UnmarshalJSON(text []byte) error {
	type plain LogRow
	if err := json.Unmarshal(text, (*plain)(r)); err != nil {
		return err
	}
	r.Raw = append(json.RawMessage{}, text...)
	return nil
}

// MarshalJSON gives back the text.
func (r LogRow) MarshalJSON() ([]byte, error) { return r.Raw, nil }

// Logs returns rows of the log; the query is the API's. Newest first, or
// oldest first with "after".
func (c *Client) Logs(ctx context.Context, query url.Values) ([]LogRow, error) {
	return listOf[LogRow](ctx, c, call{method: http.MethodGet, path: "logs", query: query})
}

// Content is what was asked and answered.
type Content struct {
	RequestID string `json:"request_id"`
	// Prompt is the messages as JSON text.
	Prompt string `json:"prompt"`
	Answer string `json:"answer"`
}

// Content returns what was asked and answered, where nodes keep it.
func (c *Client) Content(ctx context.Context, id string) (Content, error) {
	return fetch[Content](ctx, c, call{method: http.MethodGet, path: "logs/" + element(id) + "/content"})
}

// Balance is where the usage events of a node are.
type Balance struct {
	Node         string `json:"node"`
	State        string `json:"state"`
	Issued       uint64 `json:"issued"`
	Stored       uint64 `json:"stored"`
	Pending      uint64 `json:"pending"`
	Lost         uint64 `json:"lost"`
	SpooledBytes int64  `json:"spooled_bytes"`
	// Balanced: issued = stored + pending + lost.
	Balanced bool `json:"balanced"`
}

// Sink is how far a store is with the usage events.
type Sink struct {
	Sink    string `json:"sink"`
	Waiting uint64 `json:"waiting_frames"`
	InHand  int    `json:"frames_in_hand"`
}

// Gap is a run of numbers of a node's events without rows.
type Gap struct {
	Node  string `json:"node"`
	Epoch string `json:"epoch"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Ledger is where every usage event is.
type Ledger struct {
	Nodes        []Balance `json:"nodes"`
	Sum          Balance   `json:"sum"`
	Sinks        []Sink    `json:"sinks"`
	StreamFrames uint64    `json:"stream_frames"`
	StreamBytes  uint64    `json:"stream_bytes"`
	DeadLetters  uint64    `json:"dead_letters"`
	Gaps         []Gap     `json:"gaps"`
}

// Ledger looks for gaps since a time or a span back, "" for a day.
func (c *Client) Ledger(ctx context.Context, since string) (Ledger, error) {
	query := url.Values{}
	if since != "" {
		query.Set("since", since)
	}
	out, err := fetch[Ledger](ctx, c, call{method: http.MethodGet, path: "ledger", query: query})
	out.Nodes, out.Sinks, out.Gaps = orEmpty(out.Nodes), orEmpty(out.Sinks), orEmpty(out.Gaps)
	return out, err
}

// DeadLetter is a usage event, or a frame of them, that no store could take.
type DeadLetter struct {
	ID     uint64    `json:"id"`
	Sink   string    `json:"sink"`
	Time   time.Time `json:"time"`
	Node   string    `json:"node"`
	Epoch  string    `json:"epoch"`
	First  string    `json:"first"`
	Last   string    `json:"last"`
	Reason string    `json:"reason"`
	Bytes  int       `json:"bytes"`
	Event  string    `json:"event"`
}

// DeadLetters lists those with a number above after, the oldest first.
func (c *Client) DeadLetters(ctx context.Context, after uint64, limit int) ([]DeadLetter, error) {
	query := url.Values{"after": {strconv.FormatUint(after, 10)}, "limit": {strconv.Itoa(limit)}}
	return listOf[DeadLetter](ctx, c, call{method: http.MethodGet, path: "deadletters", query: query})
}

// LettersDone are the dead letters that something was done with.
type LettersDone struct {
	Done []uint64 `json:"done"`
}

// ReplayDeadLetters gives letters to the stores once more; no ids are all.
func (c *Client) ReplayDeadLetters(ctx context.Context, ids []uint64, reason string) (LettersDone, error) {
	return c.changeLetters(ctx, "deadletters/replay", ids, reason)
}

// DropDeadLetters removes letters for good; no ids are all.
func (c *Client) DropDeadLetters(ctx context.Context, ids []uint64, reason string) (LettersDone, error) {
	return c.changeLetters(ctx, "deadletters/drop", ids, reason)
}

func (c *Client) changeLetters(ctx context.Context, path string, ids []uint64, reason string) (LettersDone, error) {
	body := struct {
		IDs    []uint64 `json:"ids,omitempty"`
		All    bool     `json:"all,omitempty"`
		Reason string   `json:"reason,omitempty"`
	}{ids, len(ids) == 0, reason}
	out, err := fetch[LettersDone](ctx, c, call{method: http.MethodPost, path: path, body: body})
	out.Done = orEmpty(out.Done)
	return out, err
}
