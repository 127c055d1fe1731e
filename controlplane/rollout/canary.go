package rollout

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/guard"
	"github.com/hybridinference/gateway/controlplane/nodes"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/shared/wire"
)

// CanaryPlan is what an operator asks for. All of it must be valid.
type CanaryPlan struct {
	Nodes       []string
	For         time.Duration
	Guard       string
	MinRequests uint64
}

// silentTime is for how long a node of a canary may be away before it is taken back:
// the new configuration may be what keeps it away.
const silentTime = 30 * time.Second

// StartCanary gives a configuration to a few nodes first. Nodes that cannot take it
// are a publish.ErrInvalid.
func (e *Engine) StartCanary(ctx context.Context, c publish.Change, src publish.Source, p CanaryPlan) (publish.Result, *controlstate.Canary, error) {
	if err := canTake(e.o.Nodes(), p.Nodes); err != nil {
		return publish.Result{}, nil, err
	}
	return e.o.Publisher.StartCanary(ctx, c, src, publish.CanaryPlan{
		ID: "c_" + strings.ToLower(rand.Text()[:10]), Nodes: p.Nodes, For: p.For, Guard: p.Guard, MinRequests: p.MinRequests, Now: e.o.Now(),
	})
}

// canTake is an error if one of the nodes cannot take a canary, or no other would be left.
func canTake(list []nodes.Node, names []string) error {
	var live []string
	for i := range list {
		if list[i].State == nodes.Live && !list[i].Draining {
			live = append(live, list[i].Node)
		}
	}
	for _, name := range names {
		i := slices.IndexFunc(list, func(n nodes.Node) bool { return n.Node == name })
		switch {
		case i < 0:
			return publish.Refuse(publish.ErrInvalid, "nodes: node %q is not known; live nodes: %s", name, strings.Join(live, ", "))
		case !slices.Contains(live, name):
			return publish.Refuse(publish.ErrInvalid, "nodes: %s is not live; live nodes: %s", name, strings.Join(live, ", "))
		case list[i].Canary == nil:
			return publish.Refuse(publish.ErrInvalid, "nodes: %s runs version %s, which does not take canaries; upgrade it first", name, list[i].Version)
		}
	}
	if !slices.ContainsFunc(live, func(n string) bool { return !slices.Contains(names, n) }) {
		return publish.Refuse(publish.ErrInvalid, "nodes: at least one live node must keep the current release to compare with; all that are live are named: %s", strings.Join(live, ", "))
	}
	return nil
}

// CanaryResult is what was measured by one guard.
type CanaryResult struct {
	// Of is a model or an endpoint, "" for all models that the canary changes.
	Of string
	guard.Result
}

// CanaryVerdict is a decision about a canary.
type CanaryVerdict struct {
	Action  guard.Action
	Reason  string
	Results []CanaryResult
}

// CanaryVerdict is the last decision about a canary; false if there was none yet.
func (e *Engine) CanaryVerdict(id string) (CanaryVerdict, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.canary == nil || e.canary.id != id || e.canary.verdict.Action == "" {
		return CanaryVerdict{}, false
	}
	return e.canary.verdict, true
}

// PromoteCanary gives the canary's release to all nodes.
func (e *Engine) PromoteCanary(ctx context.Context, by, reason string) (controlstate.Canary, error) {
	return e.changeCanary(ctx, controlstate.CanaryPromoted, "canary.promote", by, because("promoted by "+by, reason))
}

// AbortCanary returns its nodes to what all others serve.
func (e *Engine) AbortCanary(ctx context.Context, by, reason string) (controlstate.Canary, error) {
	return e.changeCanary(ctx, controlstate.CanaryAborted, "canary.abort", by, because("aborted by "+by, reason))
}

func (e *Engine) changeCanary(ctx context.Context, state, action, by, why string) (controlstate.Canary, error) {
	db, err := e.o.Publisher.State()
	if err != nil {
		return controlstate.Canary{}, err
	}
	c, err := db.ActiveCanary(ctx)
	if err == nil && c == nil {
		err = publish.Refuse(controlstate.ErrNotFound, "no canary is running")
	}
	if err != nil {
		return controlstate.Canary{}, err
	}
	if err := e.endCanary(ctx, c, state, action, by, why); err != nil {
		return controlstate.Canary{}, err
	}
	list, err := db.Canaries(ctx, 1)
	if err != nil || len(list) == 0 {
		return controlstate.Canary{}, err
	}
	return list[0], nil
}

func (e *Engine) endCanary(ctx context.Context, c *controlstate.Canary, state, action, by, why string) error {
	next := *c
	next.State, next.Ended, next.By, next.Why = state, e.o.Now().UTC(), by, why
	reason := fmt.Sprintf("canary %s on %s %s", c.ID, strings.Join(c.Nodes, ", "), why)
	_, err := e.o.Publisher.EndCanary(ctx, publish.Change{Author: by, Reason: shorten(reason)}, action, next)
	return err
}

// lookCanary decides about the canary and does what was decided.
func (e *Engine) lookCanary(ctx context.Context, c *controlstate.Canary, list []nodes.Node) error {
	current := e.o.Publisher.Current()
	if current == nil || current.Number+1 < c.Release.Number {
		return nil // the canary was read after a release that is not known yet
	}
	if current.Number >= c.Release.Number {
		next := *c
		next.State, next.Ended, next.By, next.Final = controlstate.CanarySuperseded, e.o.Now().UTC(), author, current.Number
		next.Why = fmt.Sprintf("release %d was made", current.Number)
		return e.o.Publisher.NoteCanary(ctx, &next, controlstate.Entry{Author: author, Action: "canary.supersede", Target: strings.Join(c.Nodes, ","), Reason: next.Why})
	}
	guards, err := guard.Parse(c.Guard)
	if err != nil {
		return err
	}
	switch v := e.judgeCanary(e.o.Now(), c, &current.Snapshot, guards, list); v.Action {
	case guard.TakeBack:
		if err := e.endCanary(ctx, c, controlstate.CanaryTakenBack, "canary.take_back", author, "taken back: "+v.Reason); err != nil {
			return err
		}
		e.o.Log.WarnContext(ctx, "canary taken back", slog.String("canary", c.ID), slog.String("nodes", strings.Join(c.Nodes, ",")), slog.String("reason", v.Reason))
	case guard.Advance:
		return e.endCanary(ctx, c, controlstate.CanaryPromoted, "canary.promote", author, "promoted: "+v.Reason)
	case guard.Wait, guard.Hold:
	}
	return nil
}

func (e *Engine) judgeCanary(now time.Time, c *controlstate.Canary, base *wire.Snapshot, guards []guard.Guard, list []nodes.Node) CanaryVerdict {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.canary == nil || e.canary.id != c.ID {
		e.canary = compare(c, base)
	}
	e.canary.verdict = e.canary.judge(now, c, guards, list)
	return e.canary.verdict
}
