package gateway

import (
	"slices"
	"strings"

	"github.com/hybridinference/gateway/dataplane/snapshot"
)

// providerData is a provider in GET providers. What policies it has the
// gateway does not know.
type providerData struct {
	Name         string   `json:"name"`
	Slug         string   `json:"slug"`
	Privacy      *string  `json:"privacy_policy_url"`
	Terms        *string  `json:"terms_of_service_url"`
	Status       *string  `json:"status_page_url"`
	Headquarters *string  `json:"headquarters"`
	Datacenters  []string `json:"datacenters"`
}

// providers answers GET providers: who serves the models that the caller may use.
func (g *Gateway) providers(x *exchange) {
	list := []providerData{}
	for _, m := range x.snap.Visible(x.key, func(*snapshot.Model) bool { return true }) {
		for _, e := range m.Endpoints {
			slug := snapshot.Slug(e.Provider)
			if !slices.ContainsFunc(list, func(p providerData) bool { return p.Slug == slug }) {
				list = append(list, providerData{Name: e.Provider, Slug: slug})
			}
		}
	}
	slices.SortFunc(list, func(a, b providerData) int { return strings.Compare(a.Slug, b.Slug) })
	g.writeData(x.ctx, list)
}
