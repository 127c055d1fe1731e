package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/auth"
	"github.com/hybridinference/gateway/dataplane/catalog"
	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/trace"
	"github.com/hybridinference/gateway/shared/rawjson"
)

// caller is who asks, when, and what was in service then. It ends with ctx.
type caller struct {
	ctx     *fasthttp.RequestCtx
	headers headers // of ctx
	snap    *snapshot.Snapshot
	key     *snapshot.Key
	started time.Time
	trace   trace.Context
}

// authenticate finds the key of the request.
func (c *caller) authenticate(a *auth.Authenticator) *problem.Problem {
	key, reason := a.Check(c.snap.Keys, c.headers.Peek("Authorization"), apiKey(&c.headers))
	switch reason {
	case auth.Missing:
		return problem.New(401, "authentication", "No API key provided. Send 'Authorization: Bearer <key>' or 'X-API-Key: <key>'")
	case auth.Invalid:
		return problem.New(401, "authentication", "The API key is invalid, revoked or expired")
	case auth.OK:
	}
	c.key = key
	return nil
}

// apiKey returns the key outside of Authorization: in the header of Anthropic's
// clients, of Azure's, or of Google's.
func apiKey(h *headers) []byte {
	for _, name := range [...]string{"X-Api-Key", "Api-Key", "X-Goog-Api-Key"} {
		if key := h.Peek(name); len(key) > 0 {
			return key
		}
	}
	return nil
}

// find returns the model of that id or alias, or the one whose variant it is.
func (c *caller) find(name string) (route.Target, *problem.Problem) {
	if m := c.snap.Model([]byte(name)); m != nil {
		return route.Target{Model: m}, nil
	}
	base, variant := name, ""
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		base, variant = name[:i], name[i+1:]
	}
	m := c.snap.Model([]byte(base))
	if m == nil || c.key.Role < m.Role {
		return route.Target{}, unknownModel(name)
	}
	switch variant {
	case "nitro":
		return route.Target{Model: m, Sort: route.ByThroughput}, nil
	case "floor":
		return route.Target{Model: m, Sort: route.ByPrice}, nil
	case "exacto":
		return route.Target{Model: m, Sort: route.ByQuality}, nil
	case "free", "online", "thinking", "extended", "beta":
		return route.Target{}, problem.New(404, "not_found", "No endpoints found for "+name+".")
	}
	return route.Target{}, unknownModel(name)
}

func unknownModel(name string) *problem.Problem {
	return problem.New(400, "invalid_request", name+" is not a valid model ID")
}

// model returns the model of a path, by its id, an alias or a variant of
// either; nil if the caller has none of that name.
func (c *caller) model(name string) *catalog.Model {
	t, p := c.find(name)
	if p != nil || !c.key.May(t.Model) {
		return nil
	}
	return t.Model.Entry
}

// session names the conversation that a request belongs to, "" if the client
// does not say: session_id, the headers of clients and agents, else the key of
// the prompt cache.
func (c *caller) session(req *chat.Request) string {
	if id := rawjson.Text(req.Raw(chat.SessionID)); id != "" {
		return id
	}
	for _, name := range [...]string{"X-Session-Id", "X-Claude-Code-Session-Id", "Session-Id", "Session_id"} {
		if id := c.headers.Peek(name); len(id) > 0 {
			return view(id)
		}
	}
	return rawjson.Text(req.Raw(chat.PromptCacheKey))
}

// clientIP is the peer's address, or what a trusted proxy says it is.
func clientIP(ctx *fasthttp.RequestCtx, proxies []netip.Prefix) string {
	conn, ok := ctx.Conn().(*connection)
	if !ok || conn.from == "" {
		return ""
	}
	peer := conn.peer
	trusted := func(addr netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
	}
	if !trusted(peer) {
		return conn.from
	}
	hops := strings.Split(string(ctx.Request.Header.Peek("X-Forwarded-For")), ",")
	for i, hop := range slices.Backward(hops) { // the nearest that is not a proxy of ours
		if addr, err := netip.ParseAddr(strings.TrimSpace(hop)); err == nil && (!trusted(addr) || i == 0) {
			return addr.String()
		}
	}
	if addr, err := netip.ParseAddr(string(ctx.Request.Header.Peek("X-Real-IP"))); err == nil {
		return addr.String()
	}
	return conn.from
}
