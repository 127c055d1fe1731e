package cli

import (
	"context"
	"io"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func keysCommand() *command {
	return &command{
		name: "keys", about: "make, list, change and revoke API keys",
		examples: []string{"gatewayctl keys create --name build-farm", "gatewayctl keys list"},
		subs: []*command{
			{
				name: "create", about: "make a key and show it, this one time",
				details: "--expires takes a span from now, such as 30d or 12h, or a time such as 2030-01-31T00:00:00Z.",
				examples: []string{
					"gatewayctl keys create --name build-farm",
					"gatewayctl keys create --name alice --user alice@example.org --role pro --models demo --expires 30d -o json",
				},
				flags: keyFlags("NAME", "free", "all of the role", "never"),
				run:   createKey,
			},
			{
				name: "list", about: "list all keys, revoked ones too",
				examples: []string{"gatewayctl keys list", "gatewayctl keys list -o yaml"},
				run:      listKeys,
			},
			{
				name: "show", about: "show one key, without its text", args: "ID",
				examples: []string{"gatewayctl keys show KEY_ID"},
				run:      showKey, suggest: suggestKey,
			},
			{
				name: "update", about: "change a key, whose text stays", args: "ID",
				details: "What no flag names stays as it is. --models '' lifts the limit to some models, --expires never the end.",
				examples: []string{
					"gatewayctl keys update KEY_ID --role internal --models ''",
					"gatewayctl keys update KEY_ID --expires never --wait --reason 'stays with us'",
				},
				flags: keyFlags("", "", "", ""), run: updateKey, suggest: suggestKey,
			},
			{
				name: "rotate", about: "make a key in the place of another, which lives on for a while", args: "ID",
				details: "The new key has the old one's name, user, role, models and end. The old one ends after --overlap, at once with 0s.",
				examples: []string{
					"gatewayctl keys rotate KEY_ID --overlap 7d --reason 'once a year'",
					"gatewayctl keys rotate KEY_ID --overlap 0s --reason 'leaked' -o json",
				},
				flags: []flag{{name: "overlap", about: "the old key works on for `SPAN`, such as 24h or 7d", def: "24h"}, reasonFlag(), waitFlag()},
				run:   rotateKey, suggest: suggestKey,
			},
			{
				name: "import", about: "take over keys that exist elsewhere, by their hashes", args: "FILE",
				details: "FILE is CSV with a header line, or JSON: an array, or an object a line; - reads the standard input. The fields are hash\n" +
					"(HMAC-SHA256(key, API_KEY_SECRET) in hex), prefix, name, user, role, models and expires; only the first is needed.\n" +
					"In CSV, models are separated by spaces. A hash that is known already stays as it is. All keys are taken, or none.",
				examples: []string{"gatewayctl keys import config/keys.example.csv --reason 'from the old gateway'"},
				flags:    []flag{reasonFlag(), waitFlag()}, run: importKeys,
			},
			{
				name: "revoke", about: "end a key on all nodes", args: "ID",
				examples: []string{"gatewayctl keys revoke KEY_ID --reason 'left the team'"},
				flags:    []flag{reasonFlag(), waitFlag()}, run: revokeKey, suggest: suggestKey,
			},
		},
	}
}

// keyFlags describe a key; the defaults are for --help.
func keyFlags(name, role, models, expires string) []flag {
	about := "`NAME` to know the key by"
	if name != "" {
		about += "; it has to be given"
	}
	return []flag{
		{name: "name", about: about},
		{name: "user", about: "`USER` whose requests these are"},
		{name: "role", about: "`ROLE`: free, pro, internal or admin", def: role, words: []string{"free", "pro", "internal", "admin"}},
		{name: "models", about: "the only `MODELS` allowed, with commas between", def: models},
		{name: "expires", about: "`WHEN` the key ends", def: expires},
		reasonFlag(), waitFlag(),
	}
}

func keyFields(k adminclient.Key) []field {
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
	if k.Revoked != nil {
		fields = append(fields, field{name: "revoked", text: moment(k.Revoked), tint: bad})
	}
	return fields
}

// allowed is never empty: a key without a list may use every model of its role.
func allowed(k adminclient.Key) string {
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
	return list(in, rows, []column[adminclient.Key]{
		{name: "id", text: func(k adminclient.Key) string { return k.ID }},
		{name: "name", text: func(k adminclient.Key) string { return k.Name }},
		{name: "user", text: func(k adminclient.Key) string { return k.User }},
		{name: "role", text: func(k adminclient.Key) string { return k.Role }},
		{name: "models", text: allowed},
		{name: "created", text: func(k adminclient.Key) string { return stamp(k.Created) }},
		{name: "expires", text: func(k adminclient.Key) string { return moment(k.Expires) }},
		{name: "revoked", text: func(k adminclient.Key) string { return moment(k.Revoked) }, tint: func(adminclient.Key) tint { return bad }},
		{name: "prefix", text: func(k adminclient.Key) string { return k.Prefix }},
	})
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
	return in.show(k, func(w io.Writer) error { return writeFields(w, in.colour(), keyFields(k)) })
}
