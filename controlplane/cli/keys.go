package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func keysCommand() *urfave.Command {
	return &urfave.Command{
		Name: "keys", Usage: "create, list, update and revoke API keys",
		Description: help("", "gatewayctl keys create --name build-farm", "gatewayctl keys list"),
		Subcommands: []*urfave.Command{
			{
				Name: "create", Usage: "create a key and show it once",
				Description: help("--expires takes a duration from now, such as 30d or 12h, or a time such as 2030-01-31T00:00:00Z.",
					"gatewayctl keys create --name build-farm",
					"gatewayctl keys create --name crawler --team search --rpm 600 --tpm 2M --concurrency 20 --budget 50 --reset monthly",
					"gatewayctl keys create --name alice --user alice@example.org --role pro --models demo --expires 30d -o json"),
				Flags:  keyFlags("; required", "free", "all that the role allows", "never"),
				Action: run(createKey),
			},
			{
				Name: "list", Usage: "list keys with what they have cost and their last use",
				Description: help("Costs are those of the request log: in all, and of the current day, week (from Monday) and month in UTC.",
					"gatewayctl keys list", "gatewayctl keys list --unused-for 30d", "gatewayctl keys list --user alice --archived -o yaml"),
				Flags: []urfave.Flag{
					textFlag("user", "only keys of `USER`", ""),
					textFlag("team", "only keys of `TEAM`, also through their users", ""),
					daysFlag("unused-for", "only keys that were not used for `DURATION`, such as 30d or 12h"),
					switchFlag("archived", "revoked keys, too"),
				},
				Action: run(listKeys),
			},
			{
				Name: "show", Usage: "show a key's properties", ArgsUsage: "ID",
				Description: help("", "gatewayctl keys show KEY_ID"),
				Action:      run(showKey), BashComplete: completer(suggestKey),
			},
			{
				Name: "update", Usage: "change a key's properties", ArgsUsage: "ID",
				Description: help("Properties without a flag keep their values. --models '' allows all models of the role, --expires never removes the expiry.",
					"gatewayctl keys update KEY_ID --role internal --models ''",
					"gatewayctl keys update KEY_ID --expires never --wait --reason 'permanent'"),
				Flags: keyFlags("", "", "", ""), Action: run(updateKey), BashComplete: completer(suggestKey),
			},
			{
				Name: "rotate", Usage: "replace a key with a new one; the old one stays valid for a while", ArgsUsage: "ID",
				Description: help("The new key has the old one's name, user, role, models and expiry. The old key expires after --overlap, at once with 0s.",
					"gatewayctl keys rotate KEY_ID --overlap 7d --reason 'yearly rotation'",
					"gatewayctl keys rotate KEY_ID --overlap 0s --reason 'leaked' -o json"),
				Flags:  []urfave.Flag{textFlag("overlap", "keep the old key valid for `DURATION`, such as 24h or 7d", "24h"), reasonFlag(), waitFlag()},
				Action: run(rotateKey), BashComplete: completer(suggestKey),
			},
			importCommand(),
			withKey("disable", "refuse a key on all nodes until it is enabled", "The key keeps its properties, limits and use.", " --reason 'unusual use'", disableKey),
			withKey("enable", "accept a disabled key again", "", "", enableKey),
			withKey("revoke", "revoke a key on all nodes", "", " --reason 'left the team'", revokeKey),
		},
	}
}

// withKey is a command that changes whether a key is accepted.
func withKey(name, usage, more, flags string, do func(context.Context, *invocation) error) *urfave.Command {
	return &urfave.Command{
		Name: name, Usage: usage, ArgsUsage: "ID", Description: help(more, "gatewayctl keys "+name+" KEY_ID"+flags),
		Flags: []urfave.Flag{reasonFlag(), waitFlag()}, Action: run(do), BashComplete: completer(suggestKey),
	}
}

func importCommand() *urfave.Command {
	return &urfave.Command{
		Name: "import", Usage: "import existing keys by their hashes", ArgsUsage: "FILE",
		Description: help("FILE is CSV with a header line, or JSON (an array, or one object per line); - reads standard input. The fields are hash\n"+
			"(HMAC-SHA256(key, API_KEY_SECRET) in hex), prefix, name, user, role, models and expires; only hash is required.\n"+
			"In CSV, models are separated by spaces. Keys whose hash exists are left unchanged. Either all keys are imported or none.",
			"gatewayctl keys import config/keys.example.csv --reason 'from the old gateway'"),
		Flags: []urfave.Flag{reasonFlag(), waitFlag()}, Action: run(importKeys),
	}
}

// keyFlags describe a key; the defaults are for --help.
func keyFlags(required, role, models, expires string) []urfave.Flag {
	flags := []urfave.Flag{
		textFlag("name", "`NAME` of the key"+required, ""),
		textFlag("user", "`USER` who owns the key", ""),
		choiceFlag("role", "`ROLE`: free, pro, internal, admin, or management for a key of the management API only", role, "free", "pro", "internal", "admin", "management"),
		textFlag("models", "only allow `MODELS`, separated by commas", models),
		textFlag("expires", "`WHEN` the key expires", expires),
		textFlag("team", "`TEAM` of the key, by name or id; that of its user by default", ""),
		priorityFlag(),
	}
	return append(append(flags, limitFlags()...), reasonFlag(), waitFlag())
}

func keyFields(k adminapi.Key) []field {
	fields := []field{
		{name: "id", text: k.ID},
		{name: "name", text: k.Name},
		{name: "user", text: k.User},
		{name: "role", text: k.Role},
		{name: "models", text: allowed(k)},
		{name: "created", text: stamp(k.Created)},
		{name: "expires", text: moment(k.Expires)},
		{name: "prefix", text: k.Prefix},
	}
	if k.Team != "" {
		fields = append(fields, field{name: "team", text: k.Team})
	}
	if k.Priority != 0 {
		fields = append(fields, field{name: "priority", text: strconv.Itoa(k.Priority)})
	}
	for _, l := range k.Limits {
		fields = append(fields, field{name: l.Kind, text: limitText(l)})
	}
	if s := k.Spent; s != nil {
		fields = append(
			fields, field{name: "last_used", text: moment(k.LastUsed)}, field{name: "cost_usd", text: s.Total},
			field{name: "cost_usd_day", text: s.Day}, field{name: "cost_usd_week", text: s.Week}, field{name: "cost_usd_month", text: s.Month},
		)
	}
	if k.Disabled {
		fields = append(fields, field{name: "disabled", text: "yes", tint: bad})
	}
	if k.Revoked != nil {
		fields = append(fields, field{name: "revoked", text: moment(k.Revoked), tint: bad})
	}
	return fields
}

// allowed is never empty: a key without a list may use every model of its role.
func allowed(k adminapi.Key) string {
	if len(k.Models) == 0 {
		return "all"
	}
	return strings.Join(k.Models, ",")
}

func listKeys(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.Keys(ctx)
	if err != nil {
		return err
	}
	if name := in.text("team"); name != "" {
		team, err := adminclient.Call(ctx, client, adminapi.GetTeam(), adminapi.ByID{ID: name})
		if err != nil {
			return err
		}
		rows = slices.DeleteFunc(rows, func(k adminapi.Key) bool { return !slices.Contains(team.Keys, k.ID) })
	}
	if rows, err = in.selectKeys(rows, time.Now()); err != nil {
		return err
	}
	spent := func(of func(*adminapi.Spent) string) func(adminapi.Key) string {
		return func(k adminapi.Key) string {
			if k.Spent == nil {
				return ""
			}
			return of(k.Spent)
		}
	}
	return list(in, rows, []column[adminapi.Key]{
		{name: "id", text: func(k adminapi.Key) string { return k.ID }},
		{name: "name", text: func(k adminapi.Key) string { return k.Name }},
		{name: "user", spare: true, text: func(k adminapi.Key) string { return k.User }},
		{name: "team", text: func(k adminapi.Key) string { return k.Team }},
		{name: "role", text: func(k adminapi.Key) string { return k.Role }},
		{name: "models", spare: true, text: allowed},
		{name: "created", spare: true, text: func(k adminapi.Key) string { return stamp(k.Created) }},
		{name: "expires", text: func(k adminapi.Key) string { return moment(k.Expires) }},
		{name: "revoked", spare: true, text: func(k adminapi.Key) string { return moment(k.Revoked) }, tint: func(adminapi.Key) tint { return bad }},
		{name: "disabled", spare: true, text: func(k adminapi.Key) string { return map[bool]string{true: "yes"}[k.Disabled] }, tint: func(adminapi.Key) tint { return bad }},
		{name: "prefix", spare: true, text: func(k adminapi.Key) string { return k.Prefix }},
		{name: "last_used", spare: true, text: func(k adminapi.Key) string { return moment(k.LastUsed) }},
		{name: "cost_usd", text: spent(func(s *adminapi.Spent) string { return s.Total }), number: true},
		{name: "cost_usd_day", head: "TODAY", spare: true, text: spent(func(s *adminapi.Spent) string { return s.Day }), number: true},
		{name: "cost_usd_week", head: "WEEK", spare: true, text: spent(func(s *adminapi.Spent) string { return s.Week }), number: true},
		{name: "cost_usd_month", head: "MONTH", text: spent(func(s *adminapi.Spent) string { return s.Month }), number: true},
	})
}

// selectKeys keeps the keys that the flags ask for.
func (in *invocation) selectKeys(rows []adminapi.Key, now time.Time) ([]adminapi.Key, error) {
	unused := valueOf(in, "unused-for", time.Duration(0))
	if unused > 0 && slices.ContainsFunc(rows, func(k adminapi.Key) bool { return k.Spent == nil }) {
		return nil, errors.New("the request log is unavailable: the last use of keys is unknown")
	}
	out := []adminapi.Key{}
	for _, k := range rows {
		last := k.Created
		if k.LastUsed != nil {
			last = *k.LastUsed
		}
		if (k.Revoked == nil || in.Bool("archived")) && (in.text("user") == "" || k.User == in.text("user")) && (unused == 0 || now.Sub(last) >= unused) {
			out = append(out, k)
		}
	}
	return out, nil
}

func showKey(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	k, err := client.Key(ctx, in.args[0])
	if err != nil {
		return err
	}
	return in.show(k, func(w io.Writer) error { return writeFields(w, in.look(), keyFields(k)) })
}
