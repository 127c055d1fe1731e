package gateway

import "github.com/valyala/fasthttp"

// headers are those of a request. Most that are looked for are not there, which
// names says without fasthttp's work: it brings the wanted name into its normal
// form and compares it to all others.
type headers struct {
	of    *fasthttp.RequestHeader
	names uint64 // the slots of the names that are there
}

func headersOf(ctx *fasthttp.RequestCtx) headers {
	h := headers{of: &ctx.Request.Header}
	for name := range h.of.All() {
		h.names |= slot(name)
	}
	return h
}

// Peek implements api.Header.
func (h *headers) Peek(name string) []byte {
	if h.names&slot(name) == 0 {
		return nil
	}
	return h.of.Peek(name)
}

// slot is a bit for a name, in whatever case; some names share one.
func slot[T string | []byte](name T) uint64 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return 1 << ((n*5 + int(name[n-1]|0x20) + int(name[n/2]|0x20)) & 63)
}
