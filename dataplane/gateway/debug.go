package gateway

import (
	"context"
	"log/slog"
)

// debug logs what became of a request at the debug level: where it could have
// gone, each attempt, and its end, all by its id.
func (x *exchange) debug() {
	u, ctx := &x.account.usage, context.Background() //nolint:forbidigo // no context in fasthttp
	log := x.generator.gateway.opts.Log.With(slog.String("request_id", x.account.id))
	var planned []string
	for _, c := range x.attempt.plan.Candidates() {
		planned = append(planned, c.Endpoint.ID)
	}
	model := ""
	if m := x.attempt.model(); m != nil {
		model = m.ID
	}
	log.LogAttrs(ctx, slog.LevelDebug, "request", slog.String("api", u.API), slog.String("model", model), slog.Bool("stream", u.Stream), slog.Any("planned", planned))
	for i, a := range x.attempt.run.Attempts() {
		log.LogAttrs(ctx, slog.LevelDebug, "attempt", slog.Int("n", i+1), slog.String("endpoint", a.Endpoint), slog.Int("status", a.Status), slog.String("fault", a.Kind), slog.Int64("ms", a.MS))
	}
	log.LogAttrs(ctx, slog.LevelDebug, "answered", slog.Int("status", u.Status), slog.String("end", u.End), slog.String("finish_reason", u.FinishReason), slog.Int64("latency_ms", u.LatencyMS),
		slog.Int64("prompt_tokens", u.PromptTokens), slog.Int64("completion_tokens", u.CompletionTokens))
}
