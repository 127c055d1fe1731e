package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/adminclient"
	"github.com/hybridinference/gateway/controlplane/guard"
)

func statusCommand() *urfave.Command {
	return &urfave.Command{
		Name: "status", Usage: "show the status of the control plane, its stores and its nodes",
		Description: help("Problems that the control plane reports follow the table, and make the exit code 5.", "gatewayctl status", "gatewayctl status -o json"),
		Action:      run(status),
	}
}

func status(ctx context.Context, in *invocation) error {
	client, err := in.client()
	if err != nil {
		return err
	}
	s, err := client.Status(ctx)
	if err != nil {
		return err
	}
	err = in.show(s, func(w io.Writer) error {
		if err := writeFields(w, in.look(), statusFields(client.URL(), s)); err != nil {
			return err
		}
		for _, r := range s.Rollouts {
			if _, err := fmt.Fprintf(w, "\nrollout of %s to %s: %s, step %d of %d, %s\n", printable(r.Model), printable(r.Endpoint), r.State, r.Step, r.Steps, guard.Percent(r.Share)); err != nil {
				return err
			}
		}
		if c := s.Canary; c != nil {
			_, _ = fmt.Fprintf(w, "\ncanary %s: release %d on %s, for at least %s more\n", c.ID, c.Release, printable(strings.Join(c.Nodes, ", ")), span(c.LeftMS))
		}
		for _, p := range s.Problems {
			_, _ = fmt.Fprintf(w, "\n%s: %s", p.Code, printable(p.Message))
		}
		if len(s.Problems) > 0 {
			_, _ = fmt.Fprintln(w)
		}
		return nil
	})
	if err == nil && len(s.Problems) > 0 {
		return errProblems
	}
	return err
}

// warnOfProblems says after a change that was waited for what keeps it from
// taking effect. A release that NATS does not take is an error.
func (in *invocation) warnOfProblems(ctx context.Context, client *adminclient.Client, wait time.Duration) error {
	if wait == 0 {
		return nil
	}
	s, err := client.Status(ctx)
	if err != nil {
		return err
	}
	stuck, unserved := false, 0
	for _, p := range s.Problems {
		if p.Code == adminapi.ProblemMissingSecret {
			unserved++
		}
	}
	for _, p := range s.Problems {
		if p.Code == adminapi.ProblemMissingSecret && unserved > 1 {
			continue
		}
		_, _ = fmt.Fprintln(in.opts.Stderr, "warning: "+printable(p.Message))
		stuck = stuck || p.Code == adminapi.ProblemNATS || p.Code == adminapi.ProblemNATSStore
	}
	if unserved > 1 {
		_, _ = fmt.Fprintf(in.opts.Stderr, "warning: %d models cannot be served, because no node has their API keys; see gatewayctl status\n", unserved)
	}
	if stuck && s.Published < s.Release {
		return &incompleteError{fmt.Sprintf("release %d was not published: NATS has release %d", s.Release, s.Published)}
	}
	return nil
}

func statusFields(url string, s adminapi.Status) []field {
	stale, release := plain, fmt.Sprintf("%d (epoch %d)", s.Release, s.Epoch)
	if s.Nodes.Stale > 0 {
		stale = bad
	}
	if s.Published != s.Release {
		release += fmt.Sprintf(", not yet in NATS, which has %d", s.Published)
	}
	return []field{
		{name: "url", text: url},
		{name: "version", text: s.Version},
		{name: "started", text: stamp(s.Started)},
		{name: "release", text: release},
		{name: "models", text: fmt.Sprintf("%d with %d endpoints", s.Models, s.Endpoints)},
		{name: "served", text: fmt.Sprintf("%d of %d models, by %d of %d endpoints", s.Served.Models, s.Models, s.Served.Endpoints, s.Endpoints), tint: servedTint(s)},
		{name: "overrides", text: fmt.Sprintf("%d weights, %d disabled endpoints, %d policies", s.Overrides.Weights, s.Overrides.Disabled, s.Overrides.Policies)},
		{name: "nodes", text: fmt.Sprintf("%d live, %d stale", s.Nodes.Live, s.Nodes.Stale), tint: stale},
		{name: "keys", text: integer(s.Keys)},
		{name: "nats", text: s.NATS, tint: stateTint(s.NATS)},
		{name: "database", text: s.Database, tint: stateTint(s.Database)},
		{name: "log_store", text: s.LogStore, tint: stateTint(s.LogStore)},
	}
}

// servedTint marks models that no node serves.
func servedTint(s adminapi.Status) tint {
	if s.Served.Models < s.Models {
		return bad
	}
	return plain
}

// stamp writes a moment to the second, the same on every machine.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// moment is stamp for what may never be.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return stamp(*t)
}
