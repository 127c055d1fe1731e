package gateway

import (
	"net/netip"
	"strconv"
	"time"
	"unsafe"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/api"
	"github.com/hybridinference/gateway/dataplane/meter"
	"github.com/hybridinference/gateway/shared/fault"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// books are where a node's usage events go.
type books struct {
	node    string
	meter   *meter.Meter
	recent  *recent
	proxies []netip.Prefix // whose X-Forwarded-For is trusted
	content bool           // prompts and answers are kept
}

// account is what a request has used, for its one usage event.
type account struct {
	admission  *admission
	books      *books
	caller     *caller
	lang       *api.Language
	translator api.Translator
	req        *chat.Request // the translator's
	attempt    *attempt

	id         string
	usage      wire.Usage
	total      api.Total
	tokens     chat.Usage
	hasTokens  bool
	firstToken time.Time
	finish     chat.Finish
	native     []byte
	upstreamID []byte
	tier       []byte // of service, as the upstream named it
	images     int64  // in the answer
	seen       int    // bytes of text that were sent
	settled    bool
	cost       int64 // in pico-dollars
	hedgedCost int64 // the operator's, in pico-dollars
	scratch    []byte
	line       []byte  // the usage event as it is sent
	content    excerpt // of the answer, if it is kept
	facts
}

// reset prepares for another request and keeps the memory. What the event
// points into is not used any more.
func (a *account) reset() {
	a.facts.reset()
	*a = account{
		admission: a.admission, books: a.books, caller: a.caller, lang: a.lang, translator: a.translator, req: a.req, attempt: a.attempt,
		usage: wire.Usage{Attempts: a.usage.Attempts[:0]}, native: a.native[:0], tier: a.tier[:0], upstreamID: a.upstreamID[:0],
		scratch: api.Bounded(a.scratch), line: api.Bounded(a.line), content: a.content.again(), facts: a.facts,
	}
}

// note takes from an event what the accounting needs.
func (a *account) note(ev *chat.Event) {
	if ev.Usage != nil {
		a.tokens, a.hasTokens = *ev.Usage, true
	}
	if ev.HasContent() {
		if a.firstToken.IsZero() {
			a.firstToken = time.Now()
		}
		a.seen += len(ev.Content) + len(ev.Reasoning)
		if a.books.content {
			a.content.add(rawjson.Inner(ev.Content))
		}
		for i := range ev.Tools {
			a.seen += len(ev.Tools[i].Name) + len(ev.Tools[i].Arguments)
		}
		a.noteFacts(ev)
	}
	if ev.Finish != chat.NotFinished {
		a.finish = ev.Finish
		a.native = append(a.native[:0], rawjson.Inner(ev.Native)...)
	}
	if ev.ServiceTier != nil {
		a.tier = append(a.tier[:0], rawjson.Inner(ev.ServiceTier)...)
	}
	for range rawjson.Elements(ev.Images) {
		a.images++
	}
	if ev.ID != nil && len(a.upstreamID) == 0 {
		a.upstreamID = append(a.upstreamID[:0], rawjson.Inner(ev.ID)...)
	}
}

// settle issues the request's one usage event, before the last byte of its
// answer goes out. It returns the tokens and the cost for the client.
func (a *account) settle(end string, status int, f *fault.Error) *api.Total {
	if a.settled {
		return &a.total
	}
	a.settled = true
	if a.lang.Count != nil { // nothing is generated: there is no usage event
		return &a.total
	}
	u := &a.usage
	if u.RequestID = a.id; a.shadowOf == "" {
		u.HTTPRequestID = view(requestID(a.caller.ctx))
	}
	u.TraceID = view(a.caller.trace.ID())
	if spans := a.caller.trace.Spans(); spans != nil {
		u.SpanID = spans.ID()
	}
	u.Node, u.Time = a.books.node, a.caller.started.UnixMicro()
	u.Epoch, u.Release = a.caller.snap.Epoch, a.caller.snap.Release
	u.KeyID, u.UserID, u.TeamID, u.API = a.caller.key.ID, a.caller.key.User, a.caller.key.Team, a.translator.Name()
	u.RequestedModel, u.Stream = a.req.Model, a.req.Stream
	u.Status, u.End = status, end
	u.LatencyMS, u.FirstTokenMS = time.Since(a.caller.started).Milliseconds(), -1
	if !a.firstToken.IsZero() {
		u.FirstTokenMS = a.firstToken.Sub(a.caller.started).Milliseconds()
	}
	u.QueuedMS = a.attempt.run.Queued().Milliseconds()
	u.FinishReason, u.NativeFinishReason, u.UpstreamID = a.finish.String(), view(a.native), view(a.upstreamID)
	_, _, beaten := a.attempt.run.Hedged()
	u.Attempts = append(u.Attempts[:0], a.attempt.run.Attempts()...)
	if f != nil {
		u.Error = f.Error()
	}
	a.fillFacts(u)
	a.price(u)
	if beaten != nil {
		a.billHedge(u, beaten)
	}
	a.admission.settle(u, a.cost)
	a.describeClient(u)
	a.line = append(u.Append(a.line[:0]), '\n')
	if !u.Shadow {
		a.books.recent.add(u.RequestID, a.line)
	}
	if a.books.content { // the memory of recent ones has no room for it
		a.keepContent(u)
		a.line = append(u.Append(a.line[:0]), '\n')
	}
	a.books.meter.Add(a.line)
	a.total.Routing = a.attempt.routing()
	return &a.total
}

// price fills in who answered, the tokens and the cost.
func (a *account) price(u *wire.Usage) {
	u.UsageSource = wire.UsageNone
	a.total = api.Total{Cost: "0", PromptCost: "0", CompletionCost: "0"}
	c := a.attempt.run.Current()
	if c.Endpoint == nil {
		if len(a.attempt.targets) > 0 {
			u.Model = a.attempt.targets[0].Model.ID
		}
		return
	}
	u.Model, u.Endpoint, u.Provider, u.UpstreamModel = c.Model.ID, c.Endpoint.ID, c.Endpoint.Provider, c.Endpoint.UpstreamModel
	if u.RequestedModel == "" {
		u.RequestedModel = u.Model
	}
	if u.UsageSource = a.measure(); u.UsageSource == wire.UsageNone {
		return
	}
	a.bill(u, c.Endpoint)
}

// describeClient fills in who asked, and how.
func (a *account) describeClient(u *wire.Usage) {
	h := &a.caller.headers
	u.UserAgent = view(h.of.UserAgent())
	u.ClientIP = clientIP(a.caller.ctx, a.books.proxies)
	u.Referer = view(h.Peek("HTTP-Referer"))
	if u.Referer == "" {
		u.Referer = view(h.of.Referer())
	}
	if u.AppTitle = view(h.Peek("X-OpenRouter-Title")); u.AppTitle == "" {
		u.AppTitle = view(h.Peek("X-Title"))
	}
	u.SessionID = a.caller.session(a.req)
	start := len(a.scratch)
	a.scratch = a.appendParams(a.scratch)
	u.Params = a.scratch[start:]
}

// recordedParams are logged as the client sent them.
func recordedParams() [17]chat.Param {
	return [...]chat.Param{
		chat.Temperature, chat.TopP, chat.TopK, chat.MinP, chat.TopA, chat.FrequencyPenalty, chat.PresencePenalty, chat.RepetitionPenalty, chat.Seed, chat.N,
		chat.Reasoning, chat.ReasoningEffort, chat.Verbosity, chat.ServiceTier, chat.User, chat.Metadata, chat.Trace,
	}
}

// appendParams appends the parameters that are worth a record.
func (a *account) appendParams(dst []byte) []byte {
	start := len(dst)
	for _, p := range recordedParams() {
		if raw := a.req.Raw(p); raw != nil {
			dst = append(append(append(dst, ',', '"'), p.String()...), '"', ':')
			dst = append(dst, raw...)
		}
	}
	if a.req.MaxTokens > 0 {
		dst = strconv.AppendInt(append(dst, `,"max_tokens":`...), a.req.MaxTokens, 10)
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
func (a *account) keepContent(u *wire.Usage) {
	u.Prompt = shorten(string(a.req.Messages), "", 0)
	u.Answer = a.content.text()
}
