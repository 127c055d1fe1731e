package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func ledgerCommand() *command {
	return &command{
		name: "ledger", about: "show where every usage event is, and whether any is missing",
		details: "ISSUED = STORED + PENDING + LOST, at each node since it started. Gaps are numbers without rows between others, among\n" +
			"events that are older than five minutes; dead letters leave gaps, too. Exit status 1 if events are lost or missing.",
		examples: []string{"gatewayctl ledger", "gatewayctl ledger --since 7d -o json"},
		flags:    []flag{{name: "since", about: "look for gaps from `WHEN` on: a time, or a span back such as 7d", def: "24h"}},
		run:      ledger,
	}
}

func ledger(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	l, err := client.Ledger(ctx, in.text("since"))
	if err != nil {
		return err
	}
	if err := in.show(l, func(w io.Writer) error { return writeLedger(w, in.colour(), l) }); err != nil {
		return err
	}
	if l.Sum.Lost > 0 || !l.Sum.Balanced || len(l.Gaps) > 0 {
		return fmt.Errorf("%d events are lost, %d runs of numbers have no rows, balanced: %v", l.Sum.Lost, len(l.Gaps), l.Sum.Balanced)
	}
	return nil
}

func writeLedger(w io.Writer, colour bool, l adminclient.Ledger) error {
	type row = adminclient.Balance
	err := writeTable(w, colour, append(append([]row{}, l.Nodes...), l.Sum), []column[row]{
		{name: "node", text: func(b row) string { return b.Node }},
		{name: "state", text: func(b row) string { return b.State }, tint: func(b row) tint {
			if b.State == "" {
				return plain
			}
			return stateTint(b.State)
		}},
		{name: "issued", text: func(b row) string { return natural(b.Issued) }, number: true},
		{name: "stored", text: func(b row) string { return natural(b.Stored) }, number: true},
		{name: "pending", text: func(b row) string { return natural(b.Pending) }, number: true},
		{name: "lost", text: func(b row) string { return natural(b.Lost) }, number: true, tint: func(b row) tint {
			if b.Lost > 0 {
				return bad
			}
			return plain
		}},
		{name: "spooled_bytes", text: func(b row) string { return whole(b.SpooledBytes) }, number: true},
		{name: "balanced", text: func(b row) string { return yes(b.Balanced) }},
	})
	if err != nil {
		return err
	}
	for _, s := range l.Sinks {
		_, _ = fmt.Fprintf(w, "sink %s: %d frames wait, %d are in hand\n", printable(s.Sink), s.Waiting, s.InHand)
	}
	_, _ = fmt.Fprintf(w, "%d frames in NATS, %d dead letters\n", l.StreamFrames, l.DeadLetters)
	for _, g := range l.Gaps {
		_, _ = fmt.Fprintf(w, "gap: node %s, epoch %s, %d to %d\n", printable(g.Node), printable(g.Epoch), g.First, g.Last)
	}
	return nil
}

func deadLettersCommand() *command {
	choose := func(what string) string {
		return what + " the letters with these numbers, or --all. Stops at the first that fails."
	}
	flags := []flag{reasonFlag(), {name: "all", takes: takesNothing, about: "take all of them"}}
	return &command{
		name: "deadletters", about: "look after usage events that no store could take",
		examples: []string{"gatewayctl deadletters list", "gatewayctl deadletters replay --all --reason 'collector is upgraded'"},
		subs: []*command{
			{
				name: "list", about: "list them, oldest first, with the reason",
				examples: []string{"gatewayctl deadletters list", "gatewayctl deadletters list --limit 5 -o json"},
				flags:    []flag{{name: "limit", about: "show `N`", def: whole(defaultLimit)}, {name: "after", about: "show those after number `N`"}},
				run:      listDeadLetters,
			},
			{
				name: "replay", about: "give them to the stores once more", args: "[NUMBER]...", details: choose("Replays") + " A letter has to be a minute old.",
				examples: []string{"gatewayctl deadletters replay 7 8", "gatewayctl deadletters replay --all"}, flags: flags,
				run: func(ctx context.Context, in *invocation) error {
					return in.changeLetters(ctx, (*adminclient.Client).ReplayDeadLetters)
				},
			},
			{
				name: "drop", about: "remove them for good", args: "[NUMBER]...", details: choose("Drops"),
				examples: []string{"gatewayctl deadletters drop 7 --reason 'from a test'"}, flags: flags,
				run: func(ctx context.Context, in *invocation) error {
					return in.changeLetters(ctx, (*adminclient.Client).DropDeadLetters)
				},
			},
		},
	}
}

func listDeadLetters(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	limit, err := in.count("limit", defaultLimit, maxLimit)
	if err != nil {
		return err
	}
	var after uint64
	if text := in.text("after"); text != "" {
		if after, err = parseNumber("--after", text); err != nil {
			return err
		}
	}
	rows, err := client.DeadLetters(ctx, after, limit)
	if err != nil {
		return err
	}
	return list(in, rows, []column[adminclient.DeadLetter]{
		{name: "id", text: func(d adminclient.DeadLetter) string { return natural(d.ID) }, number: true},
		{name: "time", text: func(d adminclient.DeadLetter) string { return stamp(d.Time) }},
		{name: "sink", text: func(d adminclient.DeadLetter) string { return d.Sink }},
		{name: "node", text: func(d adminclient.DeadLetter) string { return d.Node }},
		{name: "first", text: func(d adminclient.DeadLetter) string { return d.First }, number: true},
		{name: "last", text: func(d adminclient.DeadLetter) string { return d.Last }, number: true},
		{name: "bytes", text: func(d adminclient.DeadLetter) string { return whole(d.Bytes) }, number: true},
		{name: "reason", text: func(d adminclient.DeadLetter) string { return d.Reason }},
	})
}

func (in *invocation) changeLetters(ctx context.Context, do func(*adminclient.Client, context.Context, []uint64, string) (adminclient.LettersDone, error)) error {
	var ids []uint64
	for _, arg := range in.args {
		id, err := parseNumber("a dead letter", arg)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if (len(ids) > 0) == in.on("all") {
		return usagef("give the numbers of dead letters, or --all")
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
		_, err := fmt.Fprintf(w, "%d %s\n", len(done.Done), plural("letter", len(done.Done)))
		return err
	})
}
