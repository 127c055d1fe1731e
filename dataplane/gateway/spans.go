package gateway

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/trace"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// sendSpans sends the spans of a traced request. They have GenAI's attributes as
// of semantic conventions 1.41.0, and neither prompts nor answers nor messages of
// upstreams, which may quote them. A request without a key has no spans, else a
// stranger could fill the collector.
func (x *exchange) sendSpans(status int) {
	spans := x.caller.trace.Spans()
	if spans == nil || x.caller.key == nil {
		return
	}
	made, calls := x.attempt.run.Attempts(), spans.Calls() // one call for each attempt
	for i := range calls {
		x.account.describeCall(&calls[i], &made[i], i == len(calls)-1)
	}
	failed := ""
	switch end := x.account.usage.End; {
	case end == wire.EndUpstreamError || end == wire.EndTimeout:
		failed = end
	case status >= 500:
		failed = strconv.Itoa(status)
	}
	path := strings.Clone(pathOf(x.caller.ctx))
	spans.Send("POST "+path, x.caller.started, time.Now(), failed, x.account.requestAttributes(path, status))
}

// requestAttributes describe the request and what it came to.
func (a *account) requestAttributes(path string, status int) []attribute.KeyValue {
	u := &a.usage
	h := &a.caller.ctx.Request.Header
	list := []attribute.KeyValue{
		semconv.HTTPRequestMethodPost, semconv.HTTPRoute(path), semconv.URLPath(path), semconv.HTTPResponseStatusCode(status),
		semconv.ClientAddress(clientIP(a.caller.ctx, a.books.proxies)), semconv.UserAgentOriginal(string(h.UserAgent())),
		attribute.String("gateway.generation_id", a.id), attribute.String("gateway.request_id", string(requestID(a.caller.ctx))),
		attribute.String("gateway.node", a.books.node), attribute.Int64("gateway.release", int64(a.caller.snap.Release)), //nolint:gosec // small
		attribute.String("gateway.key.id", a.caller.key.ID), attribute.Bool("gateway.stream", a.req.Stream), attribute.Int("gateway.attempts", len(u.Attempts)),
	}
	list = appendText(list, "gateway.user.id", a.caller.key.User)
	list = appendText(list, "gateway.team.id", a.caller.key.Team)
	list = appendText(list, "gateway.model", u.Model)
	list = appendText(list, "gateway.outcome", u.End)
	list = appendText(list, "gateway.cost_usd", u.CostUSD)
	return appendText(list, "session.id", u.SessionID)
}

// appendText appends an attribute, which must not point into the request.
func appendText(list []attribute.KeyValue, name, text string) []attribute.KeyValue {
	if text == "" {
		return list
	}
	return append(list, attribute.String(name, strings.Clone(text)))
}

// describeCall completes the span of an attempt; last is the one whose answer the
// client got, if it succeeded.
func (a *account) describeCall(call *trace.Call, made *wire.Attempt, last bool) {
	c := a.attempt.candidate(made.Endpoint)
	if c.Endpoint == nil {
		return
	}
	operation := cmp.Or(a.lang.Operation, a.translator.Name())
	call.Name = operation + " " + c.Endpoint.UpstreamModel
	list := []attribute.KeyValue{
		semconv.GenAIOperationNameKey.String(operation), semconv.GenAIProviderNameKey.String(c.Endpoint.Source.ConventionalName()), semconv.GenAIRequestModel(c.Endpoint.UpstreamModel),
		semconv.GenAIRequestStreamKey.Bool(a.req.Stream), attribute.String("gateway.endpoint", c.Endpoint.ID), attribute.String("gateway.provider", c.Endpoint.Provider),
	}
	if made.Status > 0 {
		list = append(list, semconv.HTTPResponseStatusCode(made.Status))
	}
	if a.req.MaxTokens > 0 {
		list = append(list, semconv.GenAIRequestMaxTokens(int(a.req.MaxTokens)))
	}
	list = appendNumber(list, semconv.GenAIRequestTemperatureKey, a.req.Raw(chat.Temperature))
	list = appendNumber(list, semconv.GenAIRequestTopPKey, a.req.Raw(chat.TopP))
	if last && call.Failed == "" {
		list = a.appendAnswer(list)
	}
	call.Attributes = list
}

// appendAnswer appends what is known of an answer.
func (a *account) appendAnswer(list []attribute.KeyValue) []attribute.KeyValue {
	u := &a.usage
	list = appendText(list, string(semconv.GenAIResponseIDKey), u.UpstreamID)
	if u.FinishReason != "" {
		list = append(list, semconv.GenAIResponseFinishReasons(u.FinishReason))
	}
	if u.Stream && u.FirstTokenMS >= 0 {
		list = append(list, semconv.GenAIResponseTimeToFirstChunkKey.Float64(float64(u.FirstTokenMS)/1e3))
	}
	if u.UsageSource == "" || u.UsageSource == wire.UsageNone {
		return list
	}
	return append(list, semconv.GenAIUsageInputTokens(int(u.PromptTokens)), semconv.GenAIUsageOutputTokens(int(u.CompletionTokens)),
		semconv.GenAIUsageCacheReadInputTokensKey.Int64(u.CacheReadTokens), semconv.GenAIUsageCacheCreationInputTokensKey.Int64(u.CacheWriteTokens),
		semconv.GenAIUsageReasoningOutputTokensKey.Int64(u.ReasoningTokens))
}

func appendNumber(list []attribute.KeyValue, key attribute.Key, raw []byte) []attribute.KeyValue {
	x, ok := rawjson.Float(raw)
	if !ok {
		return list
	}
	return append(list, key.Float64(x))
}
