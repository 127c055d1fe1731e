package compile

import (
	"strconv"
	"strings"

	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// checkShadow refuses a shadow that costs money, unless someone has said that
// it may: no client pays for it.
func (c *compiler) checkShadow(r *config.Route, e *wire.Endpoint) {
	if e.Shadow == 0 || c.in.PaidShadows || !paid(e) || c.confirmed(e) {
		return
	}
	c.problems = append(c.problems, r.ShadowAt.Problem("%s of the requests would be sent a second time, to a paid endpoint (%s): confirm it with --yes, or set its pricing to 0 if it is free",
		Share(e.Shadow), e.Provider))
}

// confirmed reports whether the endpoint is a paid shadow of at least that share
// already.
func (c *compiler) confirmed(e *wire.Endpoint) bool {
	if c.in.Previous == nil {
		return false
	}
	for i := range c.in.Previous.Models {
		if was := find(c.in.Previous.Models[i].Endpoints, e.ID, endpointID); was != nil {
			return was.Shadow >= e.Shadow && was.BaseURL == e.BaseURL && was.Kind == e.Kind && paid(was)
		}
	}
	return false
}

// paid reports whether requests to an endpoint cost money: it has prices, or it
// has none and is a service on the internet.
func paid(e *wire.Endpoint) bool {
	list, err := price.New(e.Pricing)
	if err != nil {
		return true
	}
	for _, entry := range list.Entries() {
		switch {
		case entry.Free():
		case entry.Priced(), strings.HasPrefix(e.BaseURL, "https://"):
			return true
		}
	}
	return false
}

// Share writes a part of 1 as a percentage.
func Share(part float64) string {
	return strconv.FormatFloat(readable(100*part), 'g', -1, 64) + "%"
}
