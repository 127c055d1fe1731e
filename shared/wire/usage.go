package wire

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hybridinference/gateway/shared/rawjson"
)

// How a request ended.
const (
	EndComplete      = "complete"
	EndClientGone    = "client_gone"
	EndUpstreamError = "upstream_error"
	EndTimeout       = "timeout"
	EndRejected      = "rejected"
)

// Where token counts came from.
const (
	UsageProvider  = "provider"
	UsageEstimated = "estimated"
	UsageNone      = "none"
)

// Whether an answer that was to be JSON is.
const (
	JSONValid   = "valid"
	JSONInvalid = "invalid"
)

// Usage is the one event of a request that passed authentication, whatever its
// end. Prompt includes cached tokens, completion includes reasoning.
type Usage struct {
	V int `json:"v"`
	// RequestID is the generation id sent to the client; it begins with
	// "gen-<unix seconds>-".
	RequestID string `json:"request_id"`
	// HTTPRequestID is the X-Request-ID of the answer, which error bodies show:
	// the client's own or the node's.
	HTTPRequestID string `json:"http_request_id,omitempty"`
	// TraceID is the W3C trace of the request, 32 hexadecimal digits: the
	// client's or the node's; "" without one. SpanID is the request's span in it, 16
	// digits, if that was sampled: whoever moves the event adds spans below it.
	TraceID string `json:"trace_id,omitempty"`
	SpanID  string `json:"span_id,omitempty"`
	Node    string `json:"node"`
	Epoch   uint64 `json:"epoch"`
	Release uint64 `json:"release"`
	// Time is when the request was received, microseconds since 1970.
	Time int64 `json:"time_us"`
	// FirstTokenMS and LatencyMS count from Time; FirstTokenMS is -1 when no
	// token was sent.
	FirstTokenMS int64 `json:"first_token_ms"`
	LatencyMS    int64 `json:"latency_ms"`
	// QueuedMS is how much of it the request has waited for a place at an endpoint.
	QueuedMS int64 `json:"queued_ms,omitempty"`

	KeyID  string `json:"key_id"`
	UserID string `json:"user_id"`
	// TeamID is the team that the key belongs to, itself or through its user.
	TeamID string `json:"team_id,omitempty"`
	// API is the client language: chat, completions, embeddings, messages,
	// responses, rerank, images or transcriptions.
	API string `json:"api"`
	// RequestedModel is the id as the client wrote it. Model is the id, without
	// variant, of the model that answered, else of the first that was to; "" for
	// names that no model has.
	RequestedModel string    `json:"requested_model"`
	Model          string    `json:"model"`
	Endpoint       string    `json:"endpoint"`
	Provider       string    `json:"provider"`
	UpstreamModel  string    `json:"upstream_model"`
	UpstreamID     string    `json:"upstream_id"`
	Attempts       []Attempt `json:"attempts"`

	Stream bool `json:"stream"`
	// Status is what the client saw; a stream that broke after it began keeps 200.
	Status             int    `json:"status"`
	FinishReason       string `json:"finish_reason"`
	NativeFinishReason string `json:"native_finish_reason"`
	End                string `json:"end"`

	PromptTokens     int64  `json:"prompt_tokens"`
	CompletionTokens int64  `json:"completion_tokens"`
	ReasoningTokens  int64  `json:"reasoning_tokens"`
	CacheReadTokens  int64  `json:"cache_read_tokens"`
	CacheWriteTokens int64  `json:"cache_write_tokens"`
	UsageSource      string `json:"usage_source"`
	// The rest of what has a price. Parts of the counts above: CacheWrite1hTokens
	// is kept for an hour, CachedAudioTokens are input audio read from the cache.
	CacheWrite1hTokens int64 `json:"cache_write_1h_tokens,omitempty"`
	InputImageTokens   int64 `json:"input_image_tokens,omitempty"`
	OutputImageTokens  int64 `json:"output_image_tokens,omitempty"`
	InputAudioTokens   int64 `json:"input_audio_tokens,omitempty"`
	CachedAudioTokens  int64 `json:"cached_audio_tokens,omitempty"`
	OutputAudioTokens  int64 `json:"output_audio_tokens,omitempty"`
	InputImages        int64 `json:"input_images,omitempty"`
	OutputImages       int64 `json:"output_images,omitempty"`
	WebSearches        int64 `json:"web_searches,omitempty"`
	ServerToolCalls    int64 `json:"server_tool_calls,omitempty"`
	// ServiceTier is the provider's word, in lower case: flex, priority, batch;
	// "" is the usual one.
	ServiceTier string `json:"service_tier,omitempty"`
	// CostUSD and UpstreamCostUSD are exact decimals; "" is unknown.
	CostUSD         string `json:"cost_usd"`
	UpstreamCostUSD string `json:"upstream_cost_usd"`
	// CostSource says where CostUSD comes from, "" if there is no usage.
	// PriceVersion names the prices of the list.
	CostSource   string `json:"cost_source,omitempty"`
	PriceVersion string `json:"price_version,omitempty"`
	// HedgedEndpoint is the endpoint that was sent the request beside the one that
	// answered and was broken off, HedgedCostUSD what its provider charges for the
	// prompt, as estimated: the operator's cost, which is not part of CostUSD. "" is
	// none, or unknown.
	HedgedEndpoint string `json:"hedged_endpoint,omitempty"`
	HedgedCostUSD  string `json:"hedged_cost_usd,omitempty"`
	// BYOK: the upstream resold what the operator pays another provider for. That
	// is in UpstreamCostUSD too.
	BYOK bool `json:"is_byok,omitempty"`

	// Params are the sampling parameters as sent: a JSON object or empty.
	Params    json.RawMessage `json:"params,omitempty"`
	UserAgent string          `json:"user_agent"`
	ClientIP  string          `json:"client_ip"`
	SessionID string          `json:"session_id"`
	AppTitle  string          `json:"app_title"`
	Referer   string          `json:"referer"`
	Error     string          `json:"error"`

	// Shadow marks the event of a copy that was sent to another endpoint for
	// comparison: no client got its answer, and it counts against no one. ShadowOf
	// is the RequestID of the request itself.
	Shadow   bool   `json:"shadow,omitempty"`
	ShadowOf string `json:"shadow_of,omitempty"`
	// ToolCalls is how many tools the answer called.
	ToolCalls int64 `json:"tool_calls,omitempty"`
	// JSONOutput is JSONValid or JSONInvalid for the answer of a compared request
	// that asked for JSON, "" for any other.
	JSONOutput string `json:"json_output,omitempty"`

	// Prompt is the messages as JSON, Answer the text that was answered. Of one
	// that is longer than MaxContent bytes the beginning and the end are there, and
	// between them how much is not. Both are without what looks like a key, and empty unless a
	// node is told to keep them.
	Prompt string `json:"prompt,omitempty"`
	Answer string `json:"answer,omitempty"`
}

// MaxContent bounds a Prompt and an Answer, in bytes.
const MaxContent = 64 << 10

// AttemptHedged is the Kind of an attempt that another one has beaten.
const AttemptHedged = "hedged"

// Attempt is one try at one endpoint.
type Attempt struct {
	Endpoint string `json:"endpoint"`
	// Status is the upstream's, 0 if none came.
	Status int `json:"status"`
	// Kind is the fault's kind, "" for success, AttemptHedged for an attempt that
	// was broken off because another endpoint was faster.
	Kind string `json:"kind"`
	MS   int64  `json:"ms"`
}

// Append appends the event as one line of JSON without a line end. It is
// written out by hand, since it runs once per request; a test holds it to what
// encoding/json would write.
func (u *Usage) Append(dst []byte) []byte {
	w := lineWriter(append(dst, `{"v":1`...))
	w.ids(u)
	w.str("node", u.Node)
	w.num("epoch", int64(u.Epoch))
	w.num("release", int64(u.Release))
	w.num("time_us", u.Time)
	w.num("first_token_ms", u.FirstTokenMS)
	w.num("latency_ms", u.LatencyMS)
	w.some("queued_ms", u.QueuedMS)
	w.str("key_id", u.KeyID)
	w.str("user_id", u.UserID)
	w.someText("team_id", u.TeamID)
	w.str("api", u.API)
	w.str("requested_model", u.RequestedModel)
	w.str("model", u.Model)
	w.str("endpoint", u.Endpoint)
	w.str("provider", u.Provider)
	w.str("upstream_model", u.UpstreamModel)
	w.str("upstream_id", u.UpstreamID)
	w.attempts(u.Attempts)
	w.bool("stream", u.Stream)
	w.num("status", int64(u.Status))
	w.str("finish_reason", u.FinishReason)
	w.str("native_finish_reason", u.NativeFinishReason)
	w.str("end", u.End)
	w.num("prompt_tokens", u.PromptTokens)
	w.num("completion_tokens", u.CompletionTokens)
	w.num("reasoning_tokens", u.ReasoningTokens)
	w.num("cache_read_tokens", u.CacheReadTokens)
	w.num("cache_write_tokens", u.CacheWriteTokens)
	w.str("usage_source", u.UsageSource)
	w.priced(u)
	w.str("cost_usd", u.CostUSD)
	w.str("upstream_cost_usd", u.UpstreamCostUSD)
	w.costOrigin(u)
	if len(u.Params) > 0 {
		w.key("params")
		w = append(w, u.Params...)
	}
	w.str("user_agent", u.UserAgent)
	w.str("client_ip", u.ClientIP)
	w.str("session_id", u.SessionID)
	w.str("app_title", u.AppTitle)
	w.str("referer", u.Referer)
	w.str("error", u.Error)
	w.compared(u)
	if u.Prompt != "" {
		w.str("prompt", u.Prompt)
	}
	if u.Answer != "" {
		w.str("answer", u.Answer)
	}
	return append(w, '}')
}

// lineWriter appends the members of a JSON object.
type lineWriter []byte

func (w *lineWriter) ids(u *Usage) {
	w.str("request_id", u.RequestID)
	w.someText("http_request_id", u.HTTPRequestID)
	w.someText("trace_id", u.TraceID)
	w.someText("span_id", u.SpanID)
}

func (w *lineWriter) key(k string) {
	*w = append(append(append(*w, ',', '"'), k...), '"', ':')
}

func (w *lineWriter) str(k, v string) {
	w.key(k)
	*w = rawjson.AppendString(*w, v)
}

func (w *lineWriter) num(k string, v int64) {
	w.key(k)
	*w = strconv.AppendInt(*w, v, 10)
}

// some leaves out 0: most requests use little of what has a price.
func (w *lineWriter) some(k string, v int64) {
	if v != 0 {
		w.num(k, v)
	}
}

// someText leaves out "".
func (w *lineWriter) someText(k, v string) {
	if v != "" {
		w.str(k, v)
	}
}

// priced appends what has a price beside the usual counts.
func (w *lineWriter) priced(u *Usage) {
	w.some("cache_write_1h_tokens", u.CacheWrite1hTokens)
	w.some("input_image_tokens", u.InputImageTokens)
	w.some("output_image_tokens", u.OutputImageTokens)
	w.some("input_audio_tokens", u.InputAudioTokens)
	w.some("cached_audio_tokens", u.CachedAudioTokens)
	w.some("output_audio_tokens", u.OutputAudioTokens)
	w.some("input_images", u.InputImages)
	w.some("output_images", u.OutputImages)
	w.some("web_searches", u.WebSearches)
	w.some("server_tool_calls", u.ServerToolCalls)
	if u.ServiceTier != "" {
		w.str("service_tier", u.ServiceTier)
	}
}

// costOrigin appends where the cost comes from.
func (w *lineWriter) costOrigin(u *Usage) {
	if u.CostSource != "" {
		w.str("cost_source", u.CostSource)
	}
	if u.PriceVersion != "" {
		w.str("price_version", u.PriceVersion)
	}
	w.someText("hedged_endpoint", u.HedgedEndpoint)
	w.someText("hedged_cost_usd", u.HedgedCostUSD)
	if u.BYOK {
		w.bool("is_byok", true)
	}
}

func (w *lineWriter) compared(u *Usage) {
	if u.Shadow {
		w.bool("shadow", true)
	}
	w.someText("shadow_of", u.ShadowOf)
	if u.ToolCalls != 0 {
		w.num("tool_calls", u.ToolCalls)
	}
	w.someText("json_output", u.JSONOutput)
}

func (w *lineWriter) bool(k string, v bool) {
	w.key(k)
	*w = strconv.AppendBool(*w, v)
}

func (w *lineWriter) attempts(list []Attempt) {
	w.key("attempts")
	*w = append(*w, '[')
	for i, a := range list {
		if i > 0 {
			*w = append(*w, ',')
		}
		*w = rawjson.AppendString(append(*w, `{"endpoint":`...), a.Endpoint)
		w.num("status", int64(a.Status))
		w.str("kind", a.Kind)
		w.num("ms", a.MS)
		*w = append(*w, '}')
	}
	*w = append(*w, ']')
}

// Receipt acknowledges to a node the events that the primary store is done with.
type Receipt struct {
	V      int     `json:"v"`
	Ranges []Range `json:"ranges"`
	// Dead are those of Ranges that are dead letters; the others are committed.
	Dead []Range `json:"dead,omitempty"`
}

// Range is a closed range of sequence numbers of one spool epoch.
type Range struct {
	Epoch string `json:"epoch"`
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

// Encode returns the receipt as JSON.
func (r *Receipt) Encode() ([]byte, error) {
	r.V = Version
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	return b, nil
}

// DecodeReceipt reads a receipt.
func DecodeReceipt(b []byte) (*Receipt, error) {
	r := new(Receipt)
	if err := decode(b, r, &r.V); err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	return r, nil
}
