package snapshot

import (
	"slices"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/dataplane/catalog"
)

// describe works out what endpoints take and what clients see of a model.
func (b *Builder) describe(m *Model) error {
	if b.probes == nil {
		b.probes = newProbes()
	}
	for _, e := range slices.Concat(m.Endpoints, m.Parked) {
		if e.Entry != nil { // of the release before: only its weight may differ
			e.Entry = e.Entry.Reweighted(e.Endpoint)
			continue
		}
		var choice catalog.ToolChoice
		e.Takes, choice = takes(e.Adapter, b.probes)
		e.Quantization = catalog.Quantization(m.Quantization)
		var err error
		if e.Entry, err = catalog.NewEndpoint(m.Model, e.Endpoint, e.State, e.Takes, choice); err != nil {
			return err
		}
		e.Slugs = e.Entry.Slugs
	}
	m.Uneven = uneven(m)
	entries := make([]*catalog.Endpoint, 0, len(m.Endpoints))
	for _, e := range m.Endpoints {
		entries = append(entries, e.Entry)
	}
	var err error
	m.Entry, err = catalog.NewModel(m.Model, entries)
	return err
}

// uneven returns the parameters for whose sake an endpoint that takes them is
// preferred: without them the answer is another, not just a little different.
func uneven(m *Model) chat.ParamSet {
	all, some := ^chat.ParamSet(0), chat.ParamSet(0)
	for _, e := range m.Endpoints {
		all &= e.Takes
		some |= e.Takes
	}
	return some &^ all & chat.SetOf(chat.Tools, chat.ToolChoice, chat.ResponseFormat, chat.StructuredOutputs, chat.Verbosity)
}
