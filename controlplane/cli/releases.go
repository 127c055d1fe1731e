package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/shared/wire"
)

const (
	defaultLimit = 20
	maxLimit     = 1000
)

func releasesCommand() *urfave.Command {
	return &urfave.Command{
		Name: "releases", Usage: "list, show, compare and roll back releases",
		Description: help("", "gatewayctl releases list", "gatewayctl releases rollback 1 --wait"),
		Subcommands: []*urfave.Command{
			{
				Name: "list", Usage: "list releases, newest first",
				Description: help("", "gatewayctl releases list", "gatewayctl releases list --limit 5"),
				Flags:       pageFlags(defaultLimit), Action: run(listReleases),
			},
			{
				Name: "show", Usage: "show a release", ArgsUsage: "RELEASE",
				Description: help("-o json and -o yaml show everything the nodes receive.", "gatewayctl releases show 1", "gatewayctl releases show 1 -o json"),
				Action:      run(showRelease), BashComplete: completer(suggestRelease),
			},
			{
				Name: "diff", Usage: "show what a release changed, or how two releases differ", ArgsUsage: "RELEASE [RELEASE]",
				Description: help("A single release is compared with its predecessor, two releases from the first to the second.",
					"gatewayctl releases diff 2", "gatewayctl releases diff 1 2 -o json"),
				Action: run(diffReleases), BashComplete: completer(suggestRelease),
			},
			{
				Name: "rollback", Usage: "roll back to an earlier release, as a new one", ArgsUsage: "RELEASE",
				Description: help("", "gatewayctl releases rollback 1 --wait --reason 'errors at the new endpoint'"),
				Flags:       changeFlags(), Action: run(rollback), BashComplete: completer(suggestRelease),
			},
		},
	}
}

func listReleases(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Releases(ctx, in.page(defaultLimit))
	if err != nil {
		return err
	}
	return list(in, rows, []column[adminapi.ReleaseInfo]{
		{name: "release", text: func(r adminapi.ReleaseInfo) string { return natural(r.Release) }, number: true},
		{name: "time", text: func(r adminapi.ReleaseInfo) string { return stamp(r.Time) }},
		{name: "author", text: func(r adminapi.ReleaseInfo) string { return r.Author }},
		{name: "hash", spare: true, text: func(r adminapi.ReleaseInfo) string { return short(r.Hash) }},
		{name: "models", spare: true, text: func(r adminapi.ReleaseInfo) string { return integer(r.Models) }, number: true},
		{name: "current", text: releaseCurrent, tint: func(adminapi.ReleaseInfo) tint { return good }},
		{name: "reason", text: func(r adminapi.ReleaseInfo) string { return r.Reason }},
	})
}

// releaseCurrent says whether a release is served by all nodes, or by which.
func releaseCurrent(r adminapi.ReleaseInfo) string {
	if len(r.Canary) > 0 {
		return "on " + strings.Join(r.Canary, ",")
	}
	return yes(r.Current)
}

// short is as much of a hash as people compare.
func short(hash string) string { return hash[:min(len(hash), 12)] }

func showRelease(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	number, err := numberArgument("RELEASE", in.args[0])
	if err != nil {
		return err
	}
	document, err := client.Release(ctx, number)
	if err != nil {
		return err
	}
	return in.show(document, func(w io.Writer) error {
		var r wire.Release
		if err := json.Unmarshal(document, &r); err != nil {
			return fmt.Errorf("read release %d: %w", number, err)
		}
		return writeRelease(w, in.look(), r)
	})
}

// modelEndpoint is a line of a release's table.
type modelEndpoint struct {
	model string
	wire.Endpoint
}

func writeRelease(w io.Writer, l look, r wire.Release) error {
	err := writeFields(w, l, []field{
		{name: "release", text: fmt.Sprintf("%d (epoch %d)", r.Number, r.Epoch)},
		{name: "time", text: stamp(time.Unix(r.Time, 0))},
		{name: "author", text: r.Author},
		{name: "reason", text: r.Reason},
		{name: "hash", text: r.Hash},
		{name: "default_model", text: r.Snapshot.DefaultModel},
	})
	if err != nil {
		return err
	}
	var rows []modelEndpoint
	for _, m := range r.Snapshot.Models {
		for _, e := range m.Endpoints {
			rows = append(rows, modelEndpoint{m.ID, e})
		}
	}
	_, _ = fmt.Fprintln(w)
	return writeTable(w, l, rows, []column[modelEndpoint]{
		{name: "model", text: func(e modelEndpoint) string { return e.model }},
		{name: "endpoint", text: func(e modelEndpoint) string { return e.ID }},
		{name: "kind", text: func(e modelEndpoint) string { return e.Kind }},
		{name: "weight", text: func(e modelEndpoint) string { return decimal(e.Weight) }, number: true},
		{name: "secrets", spare: true, text: func(e modelEndpoint) string { return strings.Join(e.Secrets, ",") }},
		{name: "base_url", text: func(e modelEndpoint) string { return e.BaseURL }},
	})
}

func rollback(ctx context.Context, in *invocation) error {
	number, err := numberArgument("RELEASE", in.args[0])
	if err != nil {
		return err
	}
	return in.rollOut(ctx, func(ctx context.Context, client *adminclient.Client, change adminapi.Change) (adminapi.Rollout, error) {
		return client.Rollback(ctx, number, change)
	})
}
