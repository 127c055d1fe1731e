package gateway

import (
	_ "embed"

	"github.com/valyala/fasthttp"
)

// publicAPI is the OpenAPI document of what clients call. The tests hold every
// answer of the gateway against it.
//
//go:embed openapi.json
var publicAPI []byte

// openAPI answers GET /openapi.json.
func (g *Gateway) openAPI(ctx *fasthttp.RequestCtx) {
	g.setCommon(ctx, 200, "application/json")
	ctx.Response.SetBodyRaw(publicAPI)
}
