package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func keysCommand() *command {
	return &command{
		name: "keys", about: "make, list and revoke API keys",
		examples: []string{"gatewayctl keys create --name build-farm", "gatewayctl keys list"},
		subs: []*command{
			{
				name: "create", about: "make a key and show it, this one time",
				details: "--expires takes a span from now, such as 30d or 12h, or a time such as 2030-01-31T00:00:00Z.",
				examples: []string{
					"gatewayctl keys create --name build-farm",
					"gatewayctl keys create --name alice --user alice@example.org --role pro --models demo --expires 30d -o json",
				},
				flags: []flag{
					{name: "name", about: "`NAME` to know the key by; it has to be given"},
					{name: "user", about: "`USER` whose requests these are"},
					{name: "role", about: "`ROLE`: free, pro, internal or admin", words: []string{"free", "pro", "internal", "admin"}},
					{name: "models", about: "the only `MODELS` allowed, with commas between", def: "all of the role"},
					{name: "expires", about: "`WHEN` the key ends", def: "never"},
				},
				run: createKey,
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
				name: "revoke", about: "end a key on all nodes", args: "ID",
				examples: []string{"gatewayctl keys revoke KEY_ID --reason 'left the team'"},
				flags:    []flag{reasonFlag()}, run: revokeKey, suggest: suggestKey,
			},
		},
	}
}

func createKey(ctx context.Context, in *invocation) error {
	spec := adminclient.KeySpec{Name: in.text("name"), User: in.text("user"), Role: in.text("role"), Models: in.items("models"), Expires: in.text("expires")}
	if strings.TrimSpace(spec.Name) == "" {
		return usagef("keys create: --name is missing, such as --name build-farm")
	}
	client, err := in.client()
	if err != nil {
		return err
	}
	k, err := client.CreateKey(ctx, spec)
	if err != nil {
		return err
	}
	return in.show(k, func(w io.Writer) error {
		_, _ = fmt.Fprintln(in.opts.Stderr, "This is the only time that the key is shown.")
		return writeFields(w, in.colour(), append([]field{{name: "key", text: k.Plaintext, tint: good}}, keyFields(adminclient.Key{
			ID: k.ID, Name: k.Name, User: k.User, Role: k.Role, Models: k.Models, Created: k.Created, Expires: k.Expires, Prefix: k.Prefix,
		})...))
	})
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

func revokeKey(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	k, err := client.RevokeKey(ctx, in.args[0], in.text("reason"))
	if err != nil {
		return err
	}
	return in.show(k, func(w io.Writer) error {
		return writeFields(w, in.colour(), []field{{name: "id", text: k.ID}, {name: "revoked", text: stamp(k.Revoked)}})
	})
}
