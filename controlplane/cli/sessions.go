package cli

import (
	"cmp"
	"context"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func sessionsCommand() *urfave.Command {
	return &urfave.Command{
		Name: "sessions", Usage: "list and revoke sign-ins to the console",
		Description: help("A session is a browser that has signed in to the console. It ends when it is not used for CONSOLE_IDLE_TIMEOUT, after\n"+
			"CONSOLE_SESSION_LIFETIME, and when the token that it began with is rotated or revoked.",
			"gatewayctl sessions list", "gatewayctl sessions revoke ada --reason 'lost a laptop'"),
		Subcommands: []*urfave.Command{
			{
				Name: "list", Usage: "list sign-ins that have not ended", Description: help("", "gatewayctl sessions list", "gatewayctl sessions list -o json"),
				Action: run(listSessions),
			},
			{
				Name: "revoke", Usage: "end a sign-in, or all of a person", ArgsUsage: "SESSION",
				Description: help("SESSION is the id of a session, or a name: then all sessions of that person end. Who holds a token can sign in again: revoke\n"+
					"the token, too (operators revoke), to keep someone out.", "gatewayctl sessions revoke ses_3f2a90c1d4e5b6a7", "gatewayctl sessions revoke ada"),
				Flags: []urfave.Flag{reasonFlag()}, Action: run(revokeSessions), BashComplete: completer(suggestSession),
			},
		},
	}
}

func listSessions(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := adminclient.Call(ctx, client, adminapi.ListSessions(), adminapi.None{})
	if err != nil {
		return err
	}
	return showSessions(in, rows)
}

func revokeSessions(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := adminclient.Call(ctx, client, adminapi.RevokeSessions(), adminapi.SessionRevocation{ByID: adminapi.ByID{ID: in.args[0]}, Reason: in.text("reason")})
	if err != nil {
		return err
	}
	return showSessions(in, rows)
}

func showSessions(in *invocation, rows []adminapi.ConsoleSession) error {
	type row = adminapi.ConsoleSession
	return list(in, rows, []column[row]{
		{name: "id", text: func(s row) string { return s.ID }},
		{name: "name", text: func(s row) string { return cmp.Or(s.Name, "ADMIN_TOKEN") }},
		{name: "role", text: func(s row) string { return s.Role }},
		{name: "method", text: func(s row) string { return s.Method }},
		{name: "created", text: func(s row) string { return stamp(s.Created) }},
		{name: "seen", text: func(s row) string { return stamp(s.Seen) }},
		{name: "expires", text: func(s row) string { return stamp(s.Expires) }},
	})
}

func suggestSession(ctx context.Context, client *adminclient.Client, args []string) []string {
	if len(args) > 0 {
		return nil
	}
	rows, _ := adminclient.Call(ctx, client, adminapi.ListSessions(), adminapi.None{})
	return each(rows, func(s adminapi.ConsoleSession) string { return s.ID })
}
