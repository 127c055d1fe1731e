package gateway

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/hybridinference/gateway/dataplane/problem"
)

// browsers is what pages in a browser may do here. A gateway that asks for no
// keys must not be there for every page that its user visits: one of another
// site that posts here, or one whose name was pointed at this address.
type browsers struct {
	// origins are those of CORS_ALLOWED_ORIGINS, with credentials.
	origins []string
	// keyless: no keys are asked for, so that only pages of this machine and those
	// of origins may call. loopback: only this machine can.
	keyless, loopback bool
}

func newBrowsers(o *Options) browsers {
	host, _, err := net.SplitHostPort(o.Addr)
	return browsers{origins: o.Origins, keyless: !o.Auth, loopback: err == nil && isLoopback(host)}
}

// admit refuses what a browser was made to do by a page that may not call.
func (b *browsers) admit(ctx *fasthttp.RequestCtx) *problem.Problem {
	if !b.keyless {
		return nil
	}
	h := &ctx.Request.Header
	if host := view(h.Host()); b.loopback && !isLoopback(hostname(host)) && !slices.ContainsFunc(b.origins, func(o string) bool { return originHost(o) == host }) {
		return problem.New(403, "permission_denied", fmt.Sprintf("Without keys (USER_AUTH_ENABLED=false) the API answers on localhost only, not as %q: set USER_AUTH_ENABLED=true, or list http://%s in CORS_ALLOWED_ORIGINS", host, host))
	}
	if ctx.IsGet() || ctx.IsHead() || ctx.IsOptions() {
		return nil // the page does not get to see the answer
	}
	origin, site := view(h.Peek("Origin")), view(h.Peek("Sec-Fetch-Site"))
	switch {
	case origin != "" && (b.allows(origin) || originHost(origin) == view(h.Host())):
		return nil
	case origin == "" && (site == "" || site == "same-origin" || site == "none"):
		return nil
	}
	return problem.New(403, "permission_denied", "Without keys (USER_AUTH_ENABLED=false) pages of other sites may not call; CORS_ALLOWED_ORIGINS lists those that may")
}

// allows reports whether pages of an origin may call and see the answer.
func (b *browsers) allows(origin string) bool {
	return slices.Contains(b.origins, origin) || b.keyless && isLoopback(hostname(originHost(origin)))
}

// cors answers the browser: with keys and no configuration any origin without
// credentials, else the allowed ones, the configured ones of them with
// credentials.
func (b *browsers) cors(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	if len(b.origins) == 0 && !b.keyless {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		h.Add("Vary", "Origin")
		if origin := view(ctx.Request.Header.Peek("Origin")); origin != "" && b.allows(origin) {
			h.Set("Access-Control-Allow-Origin", origin)
			if slices.Contains(b.origins, origin) {
				h.Set("Access-Control-Allow-Credentials", "true")
			}
		}
	}
	h.Set("Access-Control-Expose-Headers", "X-Generation-Id, X-Request-Id, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset")
	if ctx.IsOptions() {
		h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "*, Authorization, Content-Type, X-API-Key")
		h.Set("Access-Control-Max-Age", "86400")
	}
}

// originHost is an origin's host with its port, "" if it is none.
func originHost(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Host
}

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func isLoopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
