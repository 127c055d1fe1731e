package cli

import (
	"cmp"
	"context"
	"io"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func operatorsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "operators", Usage: "create, list, rotate and revoke the tokens of operators",
		Description: help("An operator uses the admin API with a token of their own, under their own name in the audit log. A viewer reads everything but\n"+
			"prompts and answers; an operator also changes weights and endpoints; an admin does everything. ADMIN_TOKEN is the first admin.",
			"gatewayctl operators create --name ada --role operator", "gatewayctl operators list"),
		Subcommands: []*urfave.Command{
			{
				Name: "create", Usage: "create an operator and print the token",
				Description: help("The token is shown only once. Give it to gatewayctl as ADMIN_TOKEN. A name is used once, also after it was revoked.",
					"gatewayctl operators create --name grafana --role viewer --expires 90d --reason 'dashboards'"),
				Flags: []urfave.Flag{
					textFlag("name", "`NAME` of the operator; required", ""),
					choiceFlag("role", "`ROLE`: viewer, operator or admin; required", "", adminapi.Roles()...),
					textFlag("expires", "`WHEN` the token expires", "never"), reasonFlag(),
				},
				Action: run(createOperator),
			},
			{
				Name: "list", Usage: "list operators", Description: help("", "gatewayctl operators list", "gatewayctl operators list -o json"),
				Action: run(listOperators),
			},
			{
				Name: "rotate", Usage: "replace an operator's token, which ends at once", ArgsUsage: "OPERATOR",
				Description: help("OPERATOR is a name or an id.", "gatewayctl operators rotate grafana"),
				Flags:       []urfave.Flag{reasonFlag()}, Action: run(rotateOperator), BashComplete: completer(suggestOperator),
			},
			{
				Name: "revoke", Usage: "end an operator's token", ArgsUsage: "OPERATOR",
				Description: help("OPERATOR is a name or an id.", "gatewayctl operators revoke grafana --reason 'left the company'"),
				Flags:       []urfave.Flag{reasonFlag()}, Action: run(revokeOperator), BashComplete: completer(suggestOperator),
			},
			{
				Name: "whoami", Usage: "show whose token this is, and its role", Description: help("", "gatewayctl operators whoami"),
				Action: run(whoami),
			},
		},
	}
}

func operatorFields(o adminapi.Operator) []field {
	fields := []field{
		{name: "id", text: o.ID},
		{name: "name", text: o.Name},
		{name: "role", text: o.Role},
		{name: "created", text: stamp(o.Created)},
		{name: "expires", text: moment(o.Expires)},
	}
	if o.Revoked != nil {
		fields = append(fields, field{name: "revoked", text: moment(o.Revoked), tint: bad})
	}
	return fields
}

func createOperator(ctx context.Context, in *invocation) error {
	spec := adminapi.OperatorCreation{Name: in.text("name"), Role: in.text("role"), Expires: in.text("expires"), Reason: in.text("reason")}
	if strings.TrimSpace(spec.Name) == "" || spec.Role == "" {
		return usagef("operators create: --name and --role are required, such as --name ada --role operator")
	}
	return newToken(ctx, in, adminapi.CreateOperator(), spec)
}

func rotateOperator(ctx context.Context, in *invocation) error {
	return newToken(ctx, in, adminapi.RotateOperator(), adminapi.OperatorChange{ByID: adminapi.ByID{ID: in.args[0]}, Reason: in.text("reason")})
}

// newToken shows an operator with a token, which is shown once.
func newToken[In any](ctx context.Context, in *invocation, o adminapi.Operation[In, adminapi.NewOperator], spec In) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	made, err := adminclient.Call(ctx, client, o, spec)
	if err != nil {
		return err
	}
	return in.show(made, func(w io.Writer) error {
		return writeFields(w, in.look(), append([]field{{name: "token", text: made.Token}}, operatorFields(made.Operator)...))
	})
}

func revokeOperator(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	o, err := adminclient.Call(ctx, client, adminapi.RevokeOperator(), adminapi.OperatorChange{ByID: adminapi.ByID{ID: in.args[0]}, Reason: in.text("reason")})
	if err != nil {
		return err
	}
	return in.show(o, func(w io.Writer) error { return writeFields(w, in.look(), operatorFields(o)) })
}

func listOperators(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := adminclient.Call(ctx, client, adminapi.ListOperators(), adminapi.None{})
	if err != nil {
		return err
	}
	type row = adminapi.Operator
	return list(in, rows, []column[row]{
		{name: "id", text: func(o row) string { return o.ID }},
		{name: "name", text: func(o row) string { return o.Name }},
		{name: "role", text: func(o row) string { return o.Role }},
		{name: "created", text: func(o row) string { return stamp(o.Created) }},
		{name: "expires", text: func(o row) string { return moment(o.Expires) }},
		{name: "revoked", text: func(o row) string { return moment(o.Revoked) }},
	})
}

func whoami(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	who, err := adminclient.Call(ctx, client, adminapi.WhoAmI(), adminapi.None{})
	if err != nil {
		return err
	}
	return in.show(who, func(w io.Writer) error {
		return writeFields(w, in.look(), []field{{name: "name", text: cmp.Or(who.Name, "ADMIN_TOKEN")}, {name: "role", text: who.Role}})
	})
}

func suggestOperator(ctx context.Context, client *adminclient.Client, args []string) []string {
	if len(args) > 0 {
		return nil
	}
	rows, _ := adminclient.Call(ctx, client, adminapi.ListOperators(), adminapi.None{})
	return each(rows, func(o adminapi.Operator) string { return o.Name })
}
