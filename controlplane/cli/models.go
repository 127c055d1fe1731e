package cli

import (
	"context"
	"io"
	"maps"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
)

func modelsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "models", Usage: "list the models in service",
		Description: help("", "gatewayctl models", "gatewayctl models -o yaml"),
		Subcommands: []*urfave.Command{{
			Name: "list", Usage: "list the models in service",
			Description: help("Prices are in USD per million tokens. ROLE is the lowest role whose keys may use the model.", "gatewayctl models list", "gatewayctl models list -o yaml"),
			Action:      run(models),
		}},
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
	return list(in, rows, []column[adminapi.Model]{
		{name: "model", text: func(m adminapi.Model) string { return m.Model }},
		{name: "name", spare: true, text: func(m adminapi.Model) string { return m.Name }},
		{name: "type", spare: true, text: func(m adminapi.Model) string { return m.Type }},
		{name: "endpoints", text: func(m adminapi.Model) string { return integer(m.Endpoints) }, number: true},
		{name: "role", text: func(m adminapi.Model) string { return m.Role }},
		{name: "context_length", text: func(m adminapi.Model) string { return integer(m.ContextLength) }, number: true},
		{name: "prompt", text: func(m adminapi.Model) string { return m.Prompt }, number: true},
		{name: "completion", text: func(m adminapi.Model) string { return m.Completion }, number: true},
	})
}

func routingCommand() *urfave.Command {
	return &urfave.Command{
		Name: "routing", Usage: "show which endpoints serve each model",
		Description: help("WEIGHT is the endpoint's share of the model's traffic, CONFIGURED the weight in the files, OVERRIDE the weight that\n"+
			"an operator set instead.", "gatewayctl routing", "gatewayctl routing -o json"),
		Action: run(routing),
	}
}

// modelRoute is a line of the routing table.
type modelRoute struct {
	model string
	adminapi.Route
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
	return in.show(r, func(w io.Writer) error { return writeTable(w, in.look(), rows, routeColumns()) })
}

func routeColumns() []column[modelRoute] {
	return []column[modelRoute]{
		{name: "model", text: func(r modelRoute) string { return r.model }},
		{name: "endpoint", text: func(r modelRoute) string { return r.Endpoint }},
		{name: "provider", spare: true, text: func(r modelRoute) string { return r.Provider }},
		{name: "kind", text: func(r modelRoute) string { return r.Kind }},
		{name: "weight", text: func(r modelRoute) string { return r.Weight }, number: true},
		{name: "configured", spare: true, text: func(r modelRoute) string { return decimal(r.Configured) }, number: true},
		{name: "override", text: func(r modelRoute) string { return optional(r.Override) }, number: true},
		{name: "base_url", spare: true, text: func(r modelRoute) string { return r.BaseURL }},
	}
}

func optional(x *float64) string {
	if x == nil {
		return ""
	}
	return decimal(*x)
}
