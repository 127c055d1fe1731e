package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
)

func eraseCommand() *urfave.Command {
	return &urfave.Command{
		Name: "erase", Usage: "remove or pseudonymise the stored requests of a user or an API key",
		Description: help("Removes rows of the request log, stored prompts and answers, and the share of the totals. With --pseudonymise rows and totals stay, under a random name\n"+
			"and without session, address, client and parameters; prompts and answers are removed. If it is interrupted, repeat the command to continue. Events that\n"+
			"arrive within 30 days afterwards are erased by the collector. Keys, the audit log, dead letters and backups are not changed.",
			"gatewayctl erase --user alice@example.org --dry-run", "gatewayctl erase --user alice@example.org --before 2030-01-31 --yes --reason 'request of 2030-02-01'",
			"gatewayctl erase --key KEY_ID --pseudonymise --yes"),
		Flags: []urfave.Flag{
			textFlag("user", "erase requests of `USER`", ""),
			textFlag("key", "erase requests with the API key `ID`", ""),
			momentFlag("before", "only requests before `WHEN`, cut to the quarter of an hour", "now"),
			switchFlag("pseudonymise", "keep rows and totals under a random name"),
			switchFlag("dry-run", "only count what would be erased"),
			switchFlag("yes", "do not ask for confirmation"),
			reasonFlag(),
		},
		Action: run(erase),
	}
}

func erase(ctx context.Context, in *invocation) error {
	q := adminapi.EraseRequest{
		User: in.text("user"), Key: in.text("key"), Before: valueOf(in, "before", ""), Pseudonymise: in.Bool("pseudonymise"), Reason: in.text("reason"), DryRun: true,
	}
	if (q.User == "") == (q.Key == "") {
		return usagef("erase: specify either --user or --key")
	}
	client, err := in.client()
	if err != nil {
		return err
	}
	would, err := adminclient.Call(ctx, client, adminapi.EraseRequests(), q)
	if err != nil {
		return err
	}
	if in.Bool("dry-run") {
		return in.showErased(q, would)
	}
	if err := in.confirmErasure(q, would); err != nil {
		return err
	}
	q.DryRun, q.Before = false, would.Before.Format("2006-01-02T15:04:05Z")
	var sum adminapi.EraseResult
	for {
		done, err := adminclient.Call(ctx, client, adminapi.EraseRequests(), q)
		if err != nil {
			return fmt.Errorf("%w; %d %s erased, repeat the command to continue", err, sum.Rows, plural("request", int(sum.Rows)))
		}
		done.Rows, done.Contents = done.Rows+sum.Rows, done.Contents+sum.Contents
		sum = done
		if in.opts.StderrTerminal {
			_, _ = fmt.Fprintf(in.opts.Stderr, "%serased %d of %d", clearLine, sum.Rows, would.Rows)
		}
		if sum.Next == "" {
			break
		}
		q.From = sum.Next
	}
	if in.opts.StderrTerminal {
		_, _ = fmt.Fprint(in.opts.Stderr, clearLine)
	}
	q.DryRun = false
	return in.showErased(q, sum)
}

// whose names the subject of an erasure.
func whose(q adminapi.EraseRequest) string {
	if q.Key != "" {
		return "key " + q.Key
	}
	return "user " + q.User
}

func (in *invocation) confirmErasure(q adminapi.EraseRequest, would adminapi.EraseResult) error {
	if in.Bool("yes") {
		return nil
	}
	verb := "removes"
	if q.Pseudonymise {
		verb = "pseudonymises"
	}
	what := fmt.Sprintf("this %s %d %s of %s before %s, with %d stored %s", verb, would.Rows, plural("request", int(would.Rows)), whose(q), stamp(would.Before), would.Contents,
		plural("content", int(would.Contents)))
	if !in.opts.StdinTerminal {
		return fmt.Errorf("%s; nothing was erased, repeat the command with --yes", what)
	}
	_, _ = fmt.Fprintf(in.opts.Stderr, "%s, for good. Continue? [y/N] ", printable(strings.ToUpper(what[:1])+what[1:]))
	answer, err := bufio.NewReader(io.LimitReader(in.opts.Stdin, 100)).ReadString('\n')
	if err != nil && answer == "" {
		_, _ = fmt.Fprintln(in.opts.Stderr)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("not confirmed; nothing was erased")
}

func (in *invocation) showErased(q adminapi.EraseRequest, r adminapi.EraseResult) error {
	return in.show(r, func(w io.Writer) error {
		rows, contents := "removed", "removed"
		if q.Pseudonymise {
			rows = "pseudonymised"
		}
		if q.DryRun {
			rows, contents = "would be "+rows, "would be removed; nothing was changed"
		}
		_, err := fmt.Fprintf(w, "%s: %d %s before %s %s, %d stored %s %s\n", printable(whose(q)), r.Rows, plural("request", int(r.Rows)), stamp(r.Before), rows, r.Contents,
			plural("content", int(r.Contents)), contents)
		if r.Pending > 0 {
			_, _ = fmt.Fprintf(w, "%d %s of all users not stored yet; the collector erases those of %s within an hour of their arrival\n", r.Pending, plural("event", int(r.Pending)), printable(whose(q)))
		}
		if r.DeadLetters > 0 {
			_, _ = fmt.Fprintf(w, "%d dead %s of %s: drop, or replay to have %s erased (gatewayctl deadletters)\n", r.DeadLetters, plural("letter", int(r.DeadLetters)), printable(whose(q)),
				map[bool]string{true: "it", false: "them"}[r.DeadLetters == 1])
		}
		return err
	})
}
