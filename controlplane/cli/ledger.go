package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func ledgerCommand() *urfave.Command {
	return &urfave.Command{
		Name: "ledger", Usage: "account for every usage event and report missing ones",
		Description: help("ISSUED = STORED + DEAD_LETTERED + IN_TRANSIT + PENDING + LOST, for each node since it started. Gaps are numbers that have neither a row\n"+
			"nor a dead letter, between others that have, among events older than five minutes. Exits with 1 if events are lost, missing or dead letters.",
			"gatewayctl ledger", "gatewayctl ledger --since 7d -o json"),
		Flags:  []urfave.Flag{momentFlag("since", "look for gaps since `WHEN`: a time such as 2030-01-31T00:00:00Z, a date, or a duration back such as 90m or 7d", "24h")},
		Action: run(ledger),
	}
}

func ledger(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	l, err := client.Ledger(ctx, valueOf(in, "since", ""))
	if err != nil {
		return err
	}
	if err := in.show(l, func(w io.Writer) error { return writeLedger(w, in.look(), l) }); err != nil {
		return err
	}
	if l.Sum.Lost > 0 || !l.Sum.Balanced || len(l.Gaps) > 0 || l.DeadLetters > 0 {
		return fmt.Errorf("%d %s lost, %d %s, %d dead %s, balanced: %s", l.Sum.Lost, plural("event", int(l.Sum.Lost)), len(l.Gaps), plural("gap", len(l.Gaps)),
			l.DeadLetters, plural("letter", int(l.DeadLetters)), cmp.Or(yes(l.Sum.Balanced), "no"))
	}
	return nil
}

func writeLedger(w io.Writer, as look, l adminapi.Ledger) error {
	type row = adminapi.Balance
	err := writeTable(w, as, append(append([]row{}, l.Nodes...), l.Sum), []column[row]{
		{name: "node", text: func(b row) string { return b.Node }},
		{name: "state", text: func(b row) string { return b.State }, tint: func(b row) tint {
			if b.State == "" {
				return plain
			}
			return stateTint(b.State)
		}},
		{name: "issued", text: func(b row) string { return natural(b.Issued) }, number: true},
		{name: "stored", text: func(b row) string { return natural(b.Stored) }, number: true},
		{name: "dead_lettered", text: func(b row) string { return natural(b.DeadLettered) }, number: true, tint: func(b row) tint {
			if b.DeadLettered > 0 {
				return doubt
			}
			return plain
		}},
		{name: "in_transit", spare: true, text: func(b row) string { return natural(b.InTransit) }, number: true},
		{name: "pending", text: func(b row) string { return natural(b.Pending) }, number: true},
		{name: "lost", text: func(b row) string { return natural(b.Lost) }, number: true, tint: func(b row) tint {
			if b.Lost > 0 {
				return bad
			}
			return plain
		}},
		{name: "spooled_bytes", spare: true, text: func(b row) string { return integer(b.SpooledBytes) }, number: true},
		{name: "balanced", text: func(b row) string { return yes(b.Balanced) }},
	})
	if err != nil {
		return err
	}
	for _, s := range l.Sinks {
		_, _ = fmt.Fprintf(w, "sink %s: %d frames waiting, %d in progress\n", printable(s.Sink), s.Waiting, s.InHand)
	}
	_, _ = fmt.Fprintf(w, "%d frames in NATS, %d dead letters\n", l.StreamFrames, l.DeadLetters)
	for _, g := range l.Gaps {
		_, _ = fmt.Fprintf(w, "gap: node %s, epoch %s, %d to %d\n", printable(g.Node), printable(g.Epoch), g.First, g.Last)
	}
	return nil
}

func deadLettersCommand() *urfave.Command {
	choose := func(what string) string {
		return what + " the dead letters with these numbers, or --all. One that fails does not stop the others."
	}
	flags := func() []urfave.Flag {
		return []urfave.Flag{reasonFlag(), switchFlag("all", "select all dead letters")}
	}
	return &urfave.Command{
		Name: "deadletters", Usage: "list, replay and drop usage events that could not be stored",
		Description: help("", "gatewayctl deadletters list", "gatewayctl deadletters replay --all --reason 'collector is upgraded'"),
		Subcommands: []*urfave.Command{
			{
				Name: "list", Usage: "list dead letters, oldest first, with the reason",
				Description: help("", "gatewayctl deadletters list", "gatewayctl deadletters list --limit 5 -o json"),
				Flags: []urfave.Flag{
					countFlag("limit", "show at most `N`", defaultLimit, maxLimit), numberFlag("after", "show only dead letters after number `N`"),
				},
				Action: run(listDeadLetters),
			},
			{
				Name: "replay", Usage: "send dead letters to the stores again", ArgsUsage: "[NUMBER]...",
				Description: help(choose("Replays")+" A dead letter must be at least a minute old.", "gatewayctl deadletters replay 7 8", "gatewayctl deadletters replay --all"),
				Flags:       flags(),
				Action: run(func(ctx context.Context, in *invocation) error {
					return in.changeLetters(ctx, (*adminclient.Client).ReplayDeadLetters)
				}),
			},
			{
				Name: "drop", Usage: "delete dead letters", ArgsUsage: "[NUMBER]...",
				Description: help(choose("Deletes"), "gatewayctl deadletters drop 7 --reason 'from a test'"),
				Flags:       flags(),
				Action: run(func(ctx context.Context, in *invocation) error {
					return in.changeLetters(ctx, (*adminclient.Client).DropDeadLetters)
				}),
			},
		},
	}
}

func listDeadLetters(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	rows, err := client.DeadLetters(ctx, valueOf(in, "after", uint64(0)), valueOf(in, "limit", defaultLimit))
	if err != nil {
		return err
	}
	return list(in, rows, []column[adminapi.DeadLetter]{
		{name: "id", text: func(d adminapi.DeadLetter) string { return natural(d.ID) }, number: true},
		{name: "time", text: func(d adminapi.DeadLetter) string { return stamp(d.Time) }},
		{name: "sink", text: func(d adminapi.DeadLetter) string { return d.Sink }},
		{name: "node", text: func(d adminapi.DeadLetter) string { return d.Node }},
		{name: "first", text: func(d adminapi.DeadLetter) string { return d.First }, number: true},
		{name: "last", text: func(d adminapi.DeadLetter) string { return d.Last }, number: true},
		{name: "bytes", text: func(d adminapi.DeadLetter) string { return integer(d.Bytes) }, number: true},
		{name: "reason", text: func(d adminapi.DeadLetter) string { return d.Reason }},
	})
}

func (in *invocation) changeLetters(ctx context.Context, do func(*adminclient.Client, context.Context, []uint64, string) (adminapi.LettersDone, error)) error {
	var ids []uint64
	for _, arg := range in.args {
		id, err := numberArgument("NUMBER", arg)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if (len(ids) > 0) == in.Bool("all") {
		return usagef("deadletters: specify either NUMBER or --all")
	}
	client, err := in.client()
	if err != nil {
		return err
	}
	done, err := do(client, ctx, ids, in.text("reason"))
	if err != nil {
		return err
	}
	return in.show(done, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%d dead %s\n", len(done.Done), plural("letter", len(done.Done)))
		return err
	})
}
