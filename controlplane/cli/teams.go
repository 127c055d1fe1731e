package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func teamsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "teams", Usage: "create, list, update and delete teams",
		Description: help("A team's users and keys share its limits and may use its models only.", "gatewayctl teams create --name search --budget 500 --reset monthly", "gatewayctl teams list"),
		Subcommands: []*urfave.Command{
			{
				Name: "create", Usage: "create a team",
				Description: help("Keys join a team with keys create --team or keys update --team, or through their users.",
					"gatewayctl teams create --name search --owner ada --users alice,bob --models demo --tpm 2M --metadata cost_centre=4711"),
				Flags: teamFlags("; required"), Action: run(createTeam),
			},
			{
				Name: "list", Usage: "list teams", Description: help("", "gatewayctl teams list", "gatewayctl teams list -o json"),
				Action: run(listTeams),
			},
			{
				Name: "show", Usage: "show a team's properties", ArgsUsage: "TEAM", Description: help("TEAM is a name or an id.", "gatewayctl teams show search"),
				Action: run(showTeam), BashComplete: completer(suggestTeam),
			},
			{
				Name: "update", Usage: "change a team's properties", ArgsUsage: "TEAM",
				Description: help("Properties without a flag keep their values; --users, --models and --metadata replace all of theirs.",
					"gatewayctl teams update search --users alice,bob,carol --reason 'carol joined'", "gatewayctl teams update search --budget none"),
				Flags: teamFlags(""), Action: run(updateTeam), BashComplete: completer(suggestTeam),
			},
			{
				Name: "delete", Usage: "delete a team", ArgsUsage: "TEAM",
				Description: help("A team that has users or keys is deleted only with --force; they belong to no team afterwards, and its limits end.",
					"gatewayctl teams delete search --force --reason 'reorganized'"),
				Flags:  []urfave.Flag{switchFlag("force", "although the team has users or keys"), reasonFlag(), waitFlag()},
				Action: run(deleteTeam), BashComplete: completer(suggestTeam),
			},
		},
	}
}

func teamFlags(required string) []urfave.Flag {
	return slices.Concat([]urfave.Flag{
		textFlag("name", "`NAME` of the team"+required, ""),
		textFlag("owner", "`PERSON` who answers for the team", ""),
		textFlag("users", "`USERS` in the team, separated by commas", ""),
		textFlag("models", "only allow `MODELS`, separated by commas", ""),
		textFlag("metadata", "`NAME=VALUE` pairs for reports, separated by commas", ""),
	}, limitFlags(), []urfave.Flag{reasonFlag(), waitFlag()})
}

// metadata reads the flag of that name.
func (in *invocation) metadata() (map[string]string, error) {
	out := map[string]string{}
	for _, item := range in.items("metadata") {
		name, value, ok := strings.Cut(item, "=")
		if !ok || name == "" {
			return nil, usagef("%s: --metadata must be NAME=VALUE pairs such as cost_centre=4711, got %q", title(in.Context), item)
		}
		out[name] = value
	}
	return out, nil
}

func teamFieldsOf(t adminapi.Team) []field {
	fields := []field{
		{name: "id", text: t.ID},
		{name: "name", text: t.Name},
		{name: "owner", text: t.Owner},
		{name: "users", text: strings.Join(t.Users, ",")},
		{name: "keys", text: strings.Join(t.Keys, ",")},
		{name: "models", text: allowed(adminapi.Key{Models: t.Models})},
		{name: "created", text: stamp(t.Created)},
	}
	for _, l := range t.Limits {
		fields = append(fields, field{name: l.Kind, text: limitText(l)})
	}
	for _, name := range slices.Sorted(maps.Keys(t.Metadata)) {
		fields = append(fields, field{name: name, text: t.Metadata[name]})
	}
	return fields
}

func createTeam(ctx context.Context, in *invocation) error {
	team := adminapi.TeamCreation{Name: in.text("name"), Owner: in.text("owner"), Users: in.items("users"), Models: in.items("models")}
	if strings.TrimSpace(team.Name) == "" {
		return usagef("teams create: --name is required, such as --name search")
	}
	var err error
	if team.Metadata, err = in.metadata(); err != nil {
		return err
	}
	if team.Limits, err = in.limits(); err != nil {
		return err
	}
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.ChangedTeam, keyOutcome, error) {
		team.KeyChange = change
		out, err := adminclient.Call(ctx, client, adminapi.CreateTeam(), team)
		return out, keyOutcome{teamFieldsOf(out.Team), out.Nodes}, err
	})
}

func updateTeam(ctx context.Context, in *invocation) error {
	patch := adminapi.TeamPatch{ByID: adminapi.ByID{ID: in.args[0]}, Name: in.ifGiven("name"), Owner: in.ifGiven("owner")}
	for flag, into := range map[string]**[]string{"users": &patch.Users, "models": &patch.Models} {
		if in.IsSet(flag) {
			items := append([]string{}, in.items(flag)...)
			*into = &items
		}
	}
	if in.IsSet("metadata") {
		metadata, err := in.metadata()
		if err != nil {
			return err
		}
		patch.Metadata = &metadata
	}
	var err error
	if patch.Limits, err = in.limits(); err != nil {
		return err
	}
	if patch.Name == nil && patch.Owner == nil && patch.Users == nil && patch.Models == nil && patch.Metadata == nil && len(patch.Limits) == 0 {
		return usagef("teams update: nothing to change; set at least one of --name, --owner, --users, --models, --metadata or a limit")
	}
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.ChangedTeam, keyOutcome, error) {
		patch.KeyChange = change
		out, err := adminclient.Call(ctx, client, adminapi.ChangeTeam(), patch)
		return out, keyOutcome{teamFieldsOf(out.Team), out.Nodes}, err
	})
}

func deleteTeam(ctx context.Context, in *invocation) error {
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.ChangedTeam, keyOutcome, error) {
		out, err := adminclient.Call(ctx, client, adminapi.DeleteTeam(), adminapi.TeamRemoval{ByID: adminapi.ByID{ID: in.args[0]}, KeyChange: change, Force: in.Bool("force")})
		return out, keyOutcome{[]field{{name: "deleted", text: out.Name, tint: bad}}, out.Nodes}, err
	})
}

func showTeam(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	t, err := adminclient.Call(ctx, client, adminapi.GetTeam(), adminapi.ByID{ID: in.args[0]})
	if err != nil {
		return err
	}
	return in.show(t, func(w io.Writer) error { return writeFields(w, in.look(), teamFieldsOf(t)) })
}

func listTeams(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := adminclient.Call(ctx, client, adminapi.ListTeams(), adminapi.None{})
	if err != nil {
		return err
	}
	type row = adminapi.Team
	return list(in, rows, []column[row]{
		{name: "id", text: func(t row) string { return t.ID }},
		{name: "name", text: func(t row) string { return t.Name }},
		{name: "owner", text: func(t row) string { return t.Owner }},
		{name: "users", text: func(t row) string { return fmt.Sprint(len(t.Users)) }, number: true},
		{name: "keys", text: func(t row) string { return fmt.Sprint(len(t.Keys)) }, number: true},
		{name: "models", text: func(t row) string { return allowed(adminapi.Key{Models: t.Models}) }},
		{name: "limits", text: func(t row) string {
			return strings.Join(each(t.Limits, func(l adminapi.Limit) string { return l.Kind + " " + limitText(l) }), "; ")
		}},
		{name: "metadata", spare: true, text: func(t row) string {
			var pairs []string
			for _, name := range slices.Sorted(maps.Keys(t.Metadata)) {
				pairs = append(pairs, name+"="+t.Metadata[name])
			}
			return strings.Join(pairs, ",")
		}},
	})
}

func suggestTeam(ctx context.Context, client *adminclient.Client, args []string) []string {
	if len(args) > 0 {
		return nil
	}
	rows, _ := adminclient.Call(ctx, client, adminapi.ListTeams(), adminapi.None{})
	return each(rows, func(t adminapi.Team) string { return t.Name })
}
