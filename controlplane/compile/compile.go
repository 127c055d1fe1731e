// Package compile turns configuration and operators' overrides into the
// snapshot that nodes serve. It is pure: the same input gives the same
// snapshot, and it does everything that could fail, so that what it returns
// every node can take.
package compile

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hybridinference/gateway/adapters"
	"github.com/hybridinference/gateway/controlplane/config"
	"github.com/hybridinference/gateway/shared/wire"
)

// Input is everything that a snapshot depends on.
type Input struct {
	Files *config.Files
	// Overrides are weights set at run time, by endpoint id.
	Overrides map[string]float64
	// Disabled are endpoints that operators have taken out of service.
	Disabled map[string]bool
	// Selections are policies and affinities set at run time, by model id.
	Selections map[string]wire.Selection
	// Previous is the snapshot in service, nil for the first: a model keeps the
	// time at which it first appeared.
	Previous *wire.Snapshot
	Now      time.Time
	// PaidShadows lets endpoints that cost money be shadows. Those of Previous may
	// stay what they are.
	PaidShadows bool
}

// Output is a snapshot and what an operator should know of it.
type Output struct {
	Snapshot wire.Snapshot
	// Orphans are the endpoints of overrides, or disabled ones, that do not
	// exist any more.
	Orphans []string
}

// Snapshot compiles. The error is a config.Problems with everything that no
// node could serve, each with its place in the files.
func Snapshot(in Input) (Output, error) {
	c := compiler{in: in, since: created(in.Previous), known: map[string]bool{}}
	out := Output{Snapshot: wire.Snapshot{
		DefaultModel: in.Files.Models.DefaultModel,
		Models:       make([]wire.Model, 0, len(in.Files.Models.Models)),
		HealthCheck: wire.HealthCheck{
			IntervalMS: in.Files.Routing.HealthCheck.Interval.Milliseconds(), TimeoutMS: in.Files.Routing.Timeout.Milliseconds(),
			Path: in.Files.Routing.HealthCheck.Path, Statuses: in.Files.Routing.HealthCheck.Statuses, Metrics: in.Files.Routing.HealthCheck.Metrics,
		},
	}}
	for i := range in.Files.Models.Models {
		out.Snapshot.Models = append(out.Snapshot.Models, c.model(&in.Files.Models.Models[i]))
	}
	if len(c.problems) > 0 {
		return Output{}, c.problems
	}
	out.Orphans = slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, ids := range []iter.Seq[string]{maps.Keys(in.Overrides), maps.Keys(in.Disabled)} {
			for id := range ids {
				if !c.known[id] && !yield(id) {
					return
				}
			}
		}
	}))
	return out, nil
}

// created returns when each model of a snapshot first appeared.
func created(s *wire.Snapshot) map[string]int64 {
	since := map[string]int64{}
	if s != nil {
		for i := range s.Models {
			since[s.Models[i].ID] = s.Models[i].Created
		}
	}
	return since
}

type compiler struct {
	in       Input
	since    map[string]int64
	known    map[string]bool // ids of all endpoints
	problems config.Problems
}

func (c *compiler) model(m *config.Model) wire.Model {
	out := wire.Model{
		ID: m.ID, Name: m.Name, Description: m.Description, HuggingFaceID: m.HuggingFaceID, OwnedBy: m.Provider, Type: m.Type,
		Aliases: m.Aliases, Created: c.since[m.ID], ContextLength: m.ContextLength, MaxOutputLength: m.MaxOutputLength,
		InputModalities: m.InputModalities, OutputModalities: m.OutputModalities, Quantization: m.Quantization,
		SupportsTools: m.SupportsTools, SupportsStructured: m.SupportsStructuredOutput, SupportedParameters: m.SupportedParams,
		RequiredRole: m.RequiredRole, Pricing: m.Pricing, Selection: c.in.Selections[m.ID].Or(m.Selection), Configured: m.Selection, Queue: m.Queue, Hedge: m.Hedge, Endpoints: make([]wire.Endpoint, 0, len(m.Routes)),
	}
	if out.Created == 0 {
		out.Created = c.in.Now.Unix()
	}
	c.checkParameters(m)
	weights := c.weights(m)
	for i := range m.Routes {
		e := c.endpoint(m, &out, &m.Routes[i], weights[i])
		c.known[e.ID] = true
		if w, ok := c.in.Overrides[e.ID]; ok && e.Shadow == 0 {
			e.Weight = w
		}
		e.Reset(e.Weight, c.in.Disabled[e.ID])
		out.Endpoints = append(out.Endpoints, e)
	}
	return out
}

// weights returns the weight that the files give each route: routing.yaml's
// split over models.yaml's own.
func (c *compiler) weights(m *config.Model) []float64 {
	split := &c.in.Files.Routing.Split
	groups := make([]config.Group, len(m.Routes))
	count := map[config.Group]int{}
	for i := range m.Routes {
		if m.Routes[i].Shadow > 0 {
			continue // it has no share
		}
		groups[i] = split.GroupOf(m, &m.Routes[i])
		count[groups[i]]++
	}
	local, remote := split.Shares(count[config.Local], count[config.Remote])
	local, remote = readable(local), readable(remote)
	fixed := c.in.Files.Routing.Strategy == config.StrategyFixed
	out := make([]float64, len(m.Routes))
	for i, r := range m.Routes {
		out[i] = r.Weight
		switch {
		case !fixed || groups[i] == config.Unlisted:
		case groups[i] == config.Local:
			out[i] = local
		default:
			out[i] = remote
		}
	}
	return out
}

// readable rounds a computed weight: people read it, and 1-0.9 is not 0.1.
func readable(weight float64) float64 { return math.Round(weight*1e9) / 1e9 }

func (c *compiler) endpoint(m *config.Model, w *wire.Model, r *config.Route, weight float64) wire.Endpoint {
	source, _ := adapters.Find(r.Kind) // the file has been read by the same table
	e := wire.Endpoint{
		ID: r.ID, Kind: r.Kind, Slug: r.Slug, Provider: source.DisplayName(r.BaseURL), Weight: weight, Configured: weight, Shadow: readable(r.Shadow), BaseURL: r.BaseURL, Region: r.Region, APIVersion: r.APIVersion, UpstreamModel: r.ProviderModelID,
		Secrets: r.SecretNames, Processor: r.Processor, ExtraBody: r.ExtraBody, ExtraHeaders: r.ExtraHeaders, Traits: r.Traits,
		SecretHeaders: r.SecretHeaders, SecretBody: r.SecretBody,
		TimeoutMS: r.Timeout.Milliseconds(), MaxConcurrency: r.MaxConcurrency, Priority: r.Priority, RPM: r.RPM, TPM: r.TPM, Pricing: r.Pricing, ZDR: r.ZDR, NoCollection: r.NoCollection,
		Responses: r.Responses, StandIn: r.StandIn,
		Probe: c.in.Files.Routing.Split.GroupOf(m, r) == config.Local,
	}
	if _, err := adapters.New(adapters.Settings(w, &e)); err != nil {
		c.problems = append(c.problems, r.At.Problem("%s", err))
	}
	c.checkShadow(r, &e)
	return e
}

// Describe says in one line what a snapshot holds.
func Describe(s *wire.Snapshot) string {
	endpoints := 0
	for i := range s.Models {
		endpoints += len(s.Models[i].Endpoints)
	}
	return fmt.Sprintf("%d models, %d endpoints", len(s.Models), endpoints)
}
