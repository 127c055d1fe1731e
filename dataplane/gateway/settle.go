package gateway

import (
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/dataplane/price"
	"github.com/hybridinference/gateway/dataplane/relay"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// note takes from an event what the accounting needs.
func (x *exchange) note(ev *chat.Event) {
	if ev.Usage != nil {
		x.tokens, x.hasTokens = *ev.Usage, true
	}
	if ev.HasContent() {
		if x.firstToken.IsZero() {
			x.firstToken = time.Now()
		}
		x.seen += len(ev.Content) + len(ev.Reasoning)
		if x.g.opts.Content && len(x.content) < wire.MaxContent {
			x.content = append(x.content, rawjson.Inner(ev.Content)...)
		}
		for i := range ev.Tools {
			x.seen += len(ev.Tools[i].Name) + len(ev.Tools[i].Arguments)
		}
	}
	if ev.Finish != chat.NotFinished {
		x.finish = ev.Finish
		x.native = append(x.native[:0], rawjson.Inner(ev.Native)...)
	}
	if ev.ID != nil && len(x.upstreamID) == 0 {
		x.upstreamID = append(x.upstreamID[:0], rawjson.Inner(ev.ID)...)
	}
}

// settle issues the request's one usage event, before the last byte of its
// answer goes out. It returns what the client is told of tokens and cost.
func (x *exchange) settle(end string, status int, f *fault.Error) *relay.Total {
	if x.settled {
		return &x.total
	}
	x.settled = true
	u := &x.usage
	u.RequestID, u.Node, u.Time = x.id, x.g.opts.Node, x.started.UnixMicro()
	u.Epoch, u.Release = x.snap.Epoch, x.snap.Release
	u.KeyID, u.UserID, u.API = x.key.ID, x.key.User, x.surface.String()
	u.RequestedModel, u.Stream = x.req.Model, x.req.Stream
	u.Status, u.End = status, end
	u.LatencyMS, u.FirstTokenMS = time.Since(x.started).Milliseconds(), -1
	if !x.firstToken.IsZero() {
		u.FirstTokenMS = x.firstToken.Sub(x.started).Milliseconds()
	}
	u.FinishReason, u.NativeFinishReason, u.UpstreamID = x.finish.String(), view(x.native), view(x.upstreamID)
	u.Attempts = append(u.Attempts[:0], x.run.Attempts()...)
	if f != nil {
		u.Error = f.Error()
	}
	x.account(u)
	x.describeClient(u)
	x.line = append(u.Append(x.line[:0]), '\n')
	x.g.recent.add(u.RequestID, x.line)
	if x.g.opts.Content { // the memory of recent ones has no room for it
		x.keepContent(u)
		x.line = append(u.Append(x.line[:0]), '\n')
	}
	x.g.meter.Add(x.line)
	x.total.Routing = x.routing()
	return &x.total
}

// account fills in who answered, the tokens and the cost.
func (x *exchange) account(u *wire.Usage) {
	u.UsageSource = wire.UsageNone
	x.total = relay.Total{Cost: "0", PromptCost: "0", CompletionCost: "0"}
	c := x.run.Current()
	if c.Endpoint == nil {
		u.Model = u.RequestedModel
		return
	}
	u.Model, u.Endpoint, u.Provider, u.UpstreamModel = c.Model.ID, c.Endpoint.ID, c.Endpoint.Provider, c.Endpoint.UpstreamModel
	if u.RequestedModel == "" {
		u.RequestedModel = u.Model
	}
	switch {
	case x.hasTokens:
		u.UsageSource = wire.UsageProvider
	case x.seen > 0 || x.settledComplete():
		u.UsageSource = wire.UsageEstimated
		x.tokens = estimate(len(x.req.Messages), x.seen)
	default:
		return
	}
	t := &x.tokens
	u.PromptTokens, u.CompletionTokens, u.ReasoningTokens = t.Prompt, t.Completion, t.Reasoning
	u.CacheReadTokens, u.CacheWriteTokens, u.UpstreamCostUSD = t.CacheRead, t.CacheWrite, t.Cost
	prompt, completion := c.Endpoint.Price.Cost(t)
	x.key.Spent.Add(x.started, prompt+completion)
	x.scratch = price.AppendUSD(x.scratch[:0], prompt+completion)
	costEnd := len(x.scratch)
	x.scratch = price.AppendUSD(x.scratch, prompt)
	promptEnd := len(x.scratch)
	x.scratch = price.AppendUSD(x.scratch, completion)
	x.total = relay.Total{
		Usage: *t, Cost: view(x.scratch[:costEnd]), PromptCost: view(x.scratch[costEnd:promptEnd]), CompletionCost: view(x.scratch[promptEnd:]),
	}
	u.CostUSD = x.total.Cost
}

func (x *exchange) settledComplete() bool { return x.usage.End == wire.EndComplete }

// estimate guesses token counts from bytes: about four to a token in English.
func estimate(promptBytes, completionBytes int) chat.Usage {
	return chat.Usage{Prompt: int64(promptBytes+3) / 4, Completion: int64(completionBytes+3) / 4}
}

// describeClient fills in who asked, and how.
func (x *exchange) describeClient(u *wire.Usage) {
	h := &x.ctx.Request.Header
	u.UserAgent = view(h.UserAgent())
	u.ClientIP = x.g.clientIP(x.ctx)
	u.Referer = view(h.Peek("HTTP-Referer"))
	if u.Referer == "" {
		u.Referer = view(h.Referer())
	}
	if u.AppTitle = view(h.Peek("X-OpenRouter-Title")); u.AppTitle == "" {
		u.AppTitle = view(h.Peek("X-Title"))
	}
	u.SessionID = x.session()
	start := len(x.scratch)
	x.scratch = x.appendParams(x.scratch)
	u.Params = x.scratch[start:]
}

// session names the conversation that a request belongs to, "" if the client
// does not say. It is valid until the exchange is recycled.
func (x *exchange) session() string {
	if id := rawjson.Text(x.req.Raw(chat.SessionID)); id != "" {
		return id
	}
	return view(x.ctx.Request.Header.Peek("X-Session-Id"))
}

// recordedParams are logged as the client sent them.
func recordedParams() [17]chat.Param {
	return [...]chat.Param{
		chat.Temperature, chat.TopP, chat.TopK, chat.MinP, chat.TopA, chat.FrequencyPenalty, chat.PresencePenalty, chat.RepetitionPenalty, chat.Seed, chat.N,
		chat.Reasoning, chat.ReasoningEffort, chat.Verbosity, chat.ServiceTier, chat.User, chat.Metadata, chat.Trace,
	}
}

// appendParams appends the parameters that are worth a record.
func (x *exchange) appendParams(dst []byte) []byte {
	start := len(dst)
	for _, p := range recordedParams() {
		if raw := x.req.Raw(p); raw != nil {
			dst = append(append(append(dst, ',', '"'), p.String()...), '"', ':')
			dst = append(dst, raw...)
		}
	}
	if x.req.MaxTokens > 0 {
		dst = strconv.AppendInt(append(dst, `,"max_tokens":`...), x.req.MaxTokens, 10)
	}
	if len(dst) == start {
		return dst
	}
	dst[start] = '{'
	return append(dst, '}')
}

// view shows bytes as a string without copying. The result lives as long as
// the bytes, which for the usage event is until it is encoded.
func view(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// keepContent puts the prompt and the answer into the event.
func (x *exchange) keepContent(u *wire.Usage) {
	raw := x.req.Raw(chat.Messages)
	if x.surface == surfaceEmbeddings {
		raw = x.ctx.PostBody()
	}
	u.Prompt = codec.Redact(cutText(string(raw)))
	u.Answer = codec.Redact(cutText(string(rawjson.AppendUnescaped(nil, x.content))))
}

// cutText cuts a text at the limit, between two characters.
func cutText(s string) string {
	if len(s) <= wire.MaxContent {
		return strings.ToValidUTF8(s, "")
	}
	return strings.ToValidUTF8(s[:wire.MaxContent], "")
}
