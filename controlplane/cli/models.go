package cli

import (
	"context"
	"io"
	"maps"
	"slices"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func modelsCommand() *command {
	return &command{
		name: "models", about: "list the models in service",
		details:  "Prices are in USD per million tokens. ROLE is the least role that a key needs for the model.",
		examples: []string{"gatewayctl models", "gatewayctl models -o yaml"},
		run:      models,
	}
}

func models(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Models(ctx)
	if err != nil {
		return err
	}
	return list(in, rows, []column[adminclient.Model]{
		{name: "model", text: func(m adminclient.Model) string { return m.Model }},
		{name: "name", text: func(m adminclient.Model) string { return m.Name }},
		{name: "type", text: func(m adminclient.Model) string { return m.Type }},
		{name: "endpoints", text: func(m adminclient.Model) string { return whole(m.Endpoints) }, number: true},
		{name: "role", text: func(m adminclient.Model) string { return m.Role }},
		{name: "context_length", text: func(m adminclient.Model) string { return whole(m.ContextLength) }, number: true},
		{name: "prompt", text: func(m adminclient.Model) string { return m.Prompt }, number: true},
		{name: "completion", text: func(m adminclient.Model) string { return m.Completion }, number: true},
	})
}

func routingCommand() *command {
	return &command{
		name: "routing", about: "show which endpoints serve each model",
		details:  "WEIGHT is the share of the model's traffic, CONFIGURED the weight of the files, OVERRIDE the one that an operator set instead.",
		examples: []string{"gatewayctl routing", "gatewayctl routing -o json"},
		run:      routing,
	}
}

// modelRoute is a line of the routing table.
type modelRoute struct {
	model string
	adminclient.Route
}

func routing(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	r, err := client.Routing(ctx)
	if err != nil {
		return err
	}
	var rows []modelRoute
	for _, model := range slices.Sorted(maps.Keys(r.Routes)) {
		for _, route := range r.Routes[model] {
			rows = append(rows, modelRoute{model, route})
		}
	}
	return in.show(r, func(w io.Writer) error { return writeTable(w, in.colour(), rows, routeColumns()) })
}

func routeColumns() []column[modelRoute] {
	return []column[modelRoute]{
		{name: "model", text: func(r modelRoute) string { return r.model }},
		{name: "endpoint", text: func(r modelRoute) string { return r.Endpoint }},
		{name: "provider", text: func(r modelRoute) string { return r.Provider }},
		{name: "kind", text: func(r modelRoute) string { return r.Kind }},
		{name: "weight", text: func(r modelRoute) string { return r.Weight }, number: true},
		{name: "configured", text: func(r modelRoute) string { return decimal(r.Configured) }, number: true},
		{name: "override", text: func(r modelRoute) string { return optional(r.Override) }, number: true},
		{name: "base_url", text: func(r modelRoute) string { return r.BaseURL }},
	}
}

func optional(x *float64) string {
	if x == nil {
		return ""
	}
	return decimal(*x)
}
