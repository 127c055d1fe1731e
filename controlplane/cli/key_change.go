package cli

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

// keyChange returns the flags of a change to a key. Without --wait the daemon
// itself decides how long to wait.
func (in *invocation) keyChange() adminapi.KeyChange {
	c := adminapi.KeyChange{Reason: in.text("reason")}
	if in.IsSet("wait") {
		ms := in.wait().Milliseconds()
		c.WaitMS = &ms
	}
	return c
}

// changeKey makes a change and shows the result.
func changeKey[T any](ctx context.Context, in *invocation, do func(context.Context, *adminclient.Client, adminapi.KeyChange) (T, keyOutcome, error)) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	change := in.keyChange()
	made, outcome, err := do(ctx, client, change)
	if err != nil {
		return err
	}
	err = in.show(made, func(w io.Writer) error { return in.writeKeyChange(w, outcome) })
	if err != nil {
		return err
	}
	return in.complete(in.wait(), "the change", outcome.nodes)
}

// keyOutcome is what the table shows of a change.
type keyOutcome struct {
	fields []field
	nodes  []adminapi.NodeResult
}

// writeKeyChange lists the nodes only if some of them is not up to date.
func (in *invocation) writeKeyChange(w io.Writer, outcome keyOutcome) error {
	if err := writeFields(w, in.look(), outcome.fields); err != nil {
		return err
	}
	for _, n := range outcome.nodes {
		if n.State != adminapi.Applied {
			_, _ = fmt.Fprintln(w)
			return writeResults(w, in.look(), outcome.nodes)
		}
	}
	return nil
}

func createKey(ctx context.Context, in *invocation) error {
	spec := adminapi.KeySpec{Name: in.text("name"), User: in.text("user"), Role: in.text("role"), Models: in.items("models"), Expires: in.text("expires")}
	if strings.TrimSpace(spec.Name) == "" {
		return usagef("keys create: --name is required, such as --name build-farm")
	}
	var err error
	spec.Team, spec.Priority = in.text("team"), valueOf(in, "priority", 0)
	if spec.Limits, err = in.limits(); err != nil {
		return err
	}
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.NewKey, keyOutcome, error) {
		k, err := client.CreateKey(ctx, spec, change)
		return k, in.newKey(k, err), err
	})
}

// newKey is what the table shows of a new key, with its plaintext.
func (in *invocation) newKey(k adminapi.NewKey, err error) keyOutcome {
	if err == nil && in.format() == formatTable {
		_, _ = fmt.Fprintln(in.opts.Stderr, "Save the key: it is not shown again.")
	}
	fields := append([]field{{name: "key", text: k.Plaintext, tint: good}}, keyFields(adminapi.Key{
		ID: k.ID, Name: k.Name, User: k.User, Role: k.Role, Models: k.Models, Created: k.Created, Expires: k.Expires, Prefix: k.Prefix,
		Team: k.Team, Limits: k.Limits, Priority: k.Priority,
	})...)
	return keyOutcome{fields, k.Nodes}
}

func rotateKey(ctx context.Context, in *invocation) error {
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.RotatedKey, keyOutcome, error) {
		k, err := client.RotateKey(ctx, in.args[0], in.text("overlap"), change)
		outcome := in.newKey(k.NewKey, err)
		ends := k.Replaces.Expires
		if k.Replaces.Revoked != nil {
			ends = k.Replaces.Revoked
		}
		outcome.fields = append(outcome.fields, field{name: "replaces", text: k.Replaces.ID}, field{name: "ends", text: moment(ends), tint: doubt})
		return k, outcome, err
	})
}

func updateKey(ctx context.Context, in *invocation) error {
	update, err := in.keyUpdate()
	if err != nil {
		return err
	}
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.UpdatedKey, keyOutcome, error) {
		k, err := client.UpdateKey(ctx, in.args[0], update, change)
		return k, keyOutcome{keyFields(k.Key), k.Nodes}, err
	})
}

func (in *invocation) keyUpdate() (adminapi.KeyUpdate, error) {
	update := adminapi.KeyUpdate{Name: in.ifGiven("name"), User: in.ifGiven("user"), Role: in.ifGiven("role"), Expires: in.ifGiven("expires")}
	if in.IsSet("models") {
		models := append([]string{}, in.items("models")...)
		update.Models = &models
	}
	update.Team = in.ifGiven("team")
	if in.IsSet("priority") {
		priority := valueOf(in, "priority", 0)
		update.Priority = &priority
	}
	var err error
	if update.Limits, err = in.limits(); err != nil {
		return update, err
	}
	if reflect.ValueOf(update).IsZero() {
		return update, usagef("keys update: nothing to change; set at least one of --name, --user, --role, --models, --expires, --team, --priority or a limit")
	}
	return update, nil
}

// ifGiven returns a flag's value, nil without the flag.
func (in *invocation) ifGiven(name string) *string {
	if !in.IsSet(name) {
		return nil
	}
	text := in.text(name)
	return &text
}

func disableKey(ctx context.Context, in *invocation) error { return in.switchKey(ctx, true) }

func enableKey(ctx context.Context, in *invocation) error { return in.switchKey(ctx, false) }

func (in *invocation) switchKey(ctx context.Context, disabled bool) error {
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.UpdatedKey, keyOutcome, error) {
		k, err := client.UpdateKey(ctx, in.args[0], adminapi.KeyUpdate{Disabled: &disabled}, change)
		return k, keyOutcome{keyFields(k.Key), k.Nodes}, err
	})
}

func revokeKey(ctx context.Context, in *invocation) error {
	return changeKey(ctx, in, func(ctx context.Context, client *adminclient.Client, change adminapi.KeyChange) (adminapi.RevokedKey, keyOutcome, error) {
		k, err := client.RevokeKey(ctx, in.args[0], change)
		fields := []field{{name: "id", text: k.ID}, {name: "revoked", text: stamp(k.Revoked), tint: bad}}
		return k, keyOutcome{fields, k.Nodes}, err
	})
}
