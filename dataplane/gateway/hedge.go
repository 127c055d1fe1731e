package gateway

import (
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/route"
	"github.com/hybridinference/gateway/dataplane/snapshot"
	"github.com/hybridinference/gateway/dataplane/tokens"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/rawjson"
	"github.com/hybridinference/gateway/shared/wire"
)

// mayHedge reports whether the request may be sent to two endpoints at the same
// time: its language allows it, and it has no effect but its answer.
func (a *attempt) mayHedge(body []byte) bool {
	if !slices.ContainsFunc(a.targets, func(t route.Target) bool { return t.Model.Hedge != nil }) {
		return false
	}
	return a.lang.Rivals && !hostedTools(body)
}

// hostedTools reports whether a request asks the provider to run tools: searches,
// code, servers of others. What they do must not be done twice.
func hostedTools(body []byte) bool {
	var c rawjson.Cursor
	c.Reset(body)
	if !c.Object() {
		return true
	}
	for key, ok := c.Key(); ok; key, ok = c.Key() {
		raw := c.Raw()
		switch string(key) {
		case "plugins", "web_search_options", "mcp_servers", "container":
			if string(raw) != "null" && string(raw) != "[]" {
				return true
			}
		case "tools":
			for tool := range rawjson.Elements(raw) {
				switch rawjson.Text(chat.Member(tool, "type")) {
				case "", "function", "custom", "namespace": // the client runs it
				default:
					return true
				}
			}
		}
	}
	return c.Err() != nil
}

// billHedge records what the endpoint costs that was sent the request and broken
// off: its prompt, as estimated. It is the operator's cost, not the key's.
func (a *account) billHedge(u *wire.Usage, e *snapshot.Endpoint) {
	u.HedgedEndpoint = e.ID
	prompt, _ := tokens.OfPrompt(a.req)
	b := price.Bill{Unix: a.caller.started.Unix(), Used: price.Used{Prompt: prompt}}
	if cost := e.Price.Cost(&b); cost.Source != wire.CostSourceUnknown {
		a.hedgedCost = cost.Total()
		u.HedgedCostUSD = a.usd(a.hedgedCost)
	}
}
