package catalog

import (
	"cmp"
	"slices"

	"github.com/hybridinference/gateway/shared/wire"
)

// Provider is an item of GET providers. The gateway does not know a provider's
// policies: those members are null.
type Provider struct {
	Name         string   `json:"name"`
	Slug         string   `json:"slug"`
	Privacy      *string  `json:"privacy_policy_url"`
	Terms        *string  `json:"terms_of_service_url"`
	Status       *string  `json:"status_page_url"`
	Headquarters *string  `json:"headquarters"`
	Datacenters  []string `json:"datacenters"`
}

// Providers lists who serves the models, by slug.
func Providers(models []*Model) []Provider {
	list := []Provider{}
	for _, m := range models {
		for _, e := range m.Endpoints {
			slug := wire.Slug(e.Provider)
			if !slices.ContainsFunc(list, func(p Provider) bool { return p.Slug == slug }) {
				list = append(list, Provider{Name: e.Provider, Slug: slug})
			}
		}
	}
	slices.SortFunc(list, func(a, b Provider) int { return cmp.Compare(a.Slug, b.Slug) })
	return list
}
