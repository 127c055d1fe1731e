package gateway

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// askTime bounds the wait for answers of other nodes.
const askTime = 2 * time.Second

// generation answers GET generation?id=: what a request used and cost. It is
// known before the last byte of the answer is sent.
func (g *Gateway) generation(x caller) {
	id := string(x.ctx.QueryArgs().Peek("id"))
	if id == "" {
		g.refuse(x.ctx, problem.New(400, "invalid_request", "id: required, the id of a generation"))
		return
	}
	u := g.books.recent.find(id)
	if u == nil && g.opts.Generation != nil {
		ctx, cancel := context.WithTimeout(context.Background(), askTime) //nolint:forbidigo // no context in fasthttp
		defer cancel()
		u = g.opts.Generation(ctx, id)
	}
	if u == nil || !owns(x.key, u) {
		g.refuse(x.ctx, problem.New(404, "not_found", "Generation "+id+" not found"))
		return
	}
	g.writeData(x.ctx, generationOf(u, g.apiType(u.API)))
}

// generationData is a generation in the form of OpenRouter's API; its SDK insists
// on every member.
type generationData struct {
	ID                  string         `json:"id"`
	RequestID           string         `json:"request_id"`
	UpstreamID          *string        `json:"upstream_id"`
	CreatedAt           string         `json:"created_at"`
	Model               string         `json:"model"`
	ProviderName        *string        `json:"provider_name"`
	ProviderResponses   []providerSaid `json:"provider_responses"`
	Router              *string        `json:"router"`
	APIType             string         `json:"api_type"`
	Streamed            bool           `json:"streamed"`
	Cancelled           bool           `json:"cancelled"`
	FinishReason        *string        `json:"finish_reason"`
	NativeFinishReason  *string        `json:"native_finish_reason"`
	Latency             int64          `json:"latency"`
	GenerationTime      int64          `json:"generation_time"`
	ModerationLatency   *int64         `json:"moderation_latency"`
	TokensPrompt        int64          `json:"tokens_prompt"`
	TokensCompletion    int64          `json:"tokens_completion"`
	NativePrompt        int64          `json:"native_tokens_prompt"`
	NativeCompletion    int64          `json:"native_tokens_completion"`
	NativeImages        *int64         `json:"native_tokens_completion_images"`
	NativeReasoning     int64          `json:"native_tokens_reasoning"`
	NativeCached        int64          `json:"native_tokens_cached"`
	NumMediaPrompt      *int64         `json:"num_media_prompt"`
	NumAudioPrompt      *int64         `json:"num_input_audio_prompt"`
	NumMediaCompletion  *int64         `json:"num_media_completion"`
	NumSearchResults    *int64         `json:"num_search_results"`
	NumFetches          *int64         `json:"num_fetches"`
	WebSearchEngine     *string        `json:"web_search_engine"`
	TotalCost           json.Number    `json:"total_cost"`
	Usage               json.Number    `json:"usage"`
	UpstreamCost        *json.Number   `json:"upstream_inference_cost"`
	CacheDiscount       *json.Number   `json:"cache_discount"`
	IsBYOK              bool           `json:"is_byok"`
	Origin              string         `json:"origin"`
	HTTPReferer         *string        `json:"http_referer"`
	UserAgent           *string        `json:"user_agent"`
	AppID               *int64         `json:"app_id"`
	ExternalUser        *string        `json:"external_user"`
	SessionID           *string        `json:"session_id"`
	ServiceTier         *string        `json:"service_tier"`
	PresetID            *string        `json:"preset_id"`
	DataRegion          string         `json:"data_region"`
	WorkspaceID         *string        `json:"workspace_id"`
	ResponseCacheSource *string        `json:"response_cache_source_id"`
}

// providerSaid is one attempt.
type providerSaid struct {
	EndpointID string `json:"endpoint_id"`
	Status     *int   `json:"status"`
	Latency    int64  `json:"latency"`
	IsBYOK     bool   `json:"is_byok"`
}

// apiType is a client language as OpenRouter names it.
func (g *Gateway) apiType(name string) string {
	for _, e := range g.routes {
		if lang := e.language(); lang != nil && lang.Embeddings && lang.New().Name() == name {
			return "embeddings"
		}
	}
	return "completions"
}

func generationOf(u *wire.Usage, apiType string) *generationData {
	d := &generationData{
		ID: u.RequestID, RequestID: u.RequestID, UpstreamID: optional(u.UpstreamID), CreatedAt: time.UnixMicro(u.Time).UTC().Format(time.RFC3339Nano),
		Model: u.Model, ProviderName: optional(u.Provider), ProviderResponses: []providerSaid{}, APIType: apiType,
		Streamed: u.Stream, Cancelled: u.End == wire.EndClientGone, FinishReason: optional(u.FinishReason), NativeFinishReason: optional(u.NativeFinishReason),
		Latency: u.LatencyMS, GenerationTime: u.LatencyMS, TokensPrompt: u.PromptTokens, TokensCompletion: u.CompletionTokens,
		NativePrompt: u.PromptTokens, NativeCompletion: u.CompletionTokens, NativeReasoning: u.ReasoningTokens, NativeCached: u.CacheReadTokens,
		TotalCost: "0", Usage: "0", Origin: u.Referer, HTTPReferer: optional(u.Referer), UserAgent: optional(u.UserAgent),
		SessionID: optional(u.SessionID), DataRegion: "global",
	}
	if u.Stream && u.FirstTokenMS >= 0 {
		d.GenerationTime = u.LatencyMS - u.FirstTokenMS
	}
	if u.CostUSD != "" {
		d.TotalCost, d.Usage = json.Number(u.CostUSD), json.Number(u.CostUSD)
	}
	if u.UpstreamCostUSD != "" {
		cost := json.Number(u.UpstreamCostUSD)
		d.UpstreamCost = &cost
	}
	for _, a := range u.Attempts {
		said := providerSaid{EndpointID: a.Endpoint, Latency: a.MS}
		if a.Status != 0 {
			said.Status = &a.Status
		}
		d.ProviderResponses = append(d.ProviderResponses, said)
	}
	d.ExternalUser, d.ServiceTier = param(u, "user"), param(u, "service_tier")
	return d
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// param returns a string that the client sent.
func param(u *wire.Usage, name string) *string {
	if len(u.Params) == 0 {
		return nil
	}
	return optional(rawjson.Text(chat.Member(u.Params, name)))
}

// owns reports whether a caller may see a generation: its own and its user's,
// an administrator everybody's.
func owns(k *snapshot.Key, u *wire.Usage) bool {
	return k.Role == snapshot.RoleAdmin || k.ID == u.KeyID || k.User != "" && k.User == u.UserID
}
