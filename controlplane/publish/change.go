package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/compile"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/shared/wire"
)

// ErrInvalid is wrapped by errors that a different request would not give.
var ErrInvalid = errors.New("not possible")

// refusal is an error of a class that says only what matters.
type refusal struct {
	class   error
	message string
}

func (e *refusal) Error() string        { return e.message }
func (e *refusal) Is(target error) bool { return target == e.class }

// Refuse returns an error of a class, such as controlstate.ErrExists, with a message of its own.
func Refuse(class error, format string, args ...any) error {
	return &refusal{class, fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error { return Refuse(ErrInvalid, format, args...) }

// Change says who wants a change, and why.
type Change struct {
	Author, Reason string
	// IfRelease is the release that the author has seen; a change of any other
	// is a *controlstate.ConflictError. 0 is whatever is current.
	IfRelease uint64
	// DryRun commits nothing.
	DryRun bool
}

// Result is what became of a change.
type Result struct {
	// Release is the current one after the change; for a dry run the one that
	// would have been.
	Release *wire.Release
	// Changed is false when there was nothing to change and no release was made.
	Changed bool
	// Changes say in words what is different.
	Changes []string
	// Warnings are about the configuration, for Apply.
	Warnings []string
	// ModelsBefore and ModelsAfter count the models, Removed are the ids of those
	// that are only in the first.
	ModelsBefore, ModelsAfter int
	Removed                   []string
}

// countModels fills in what became of the models.
func (r *Result) countModels(before, after *wire.Snapshot) {
	r.ModelsBefore, r.ModelsAfter = len(before.Models), len(after.Models)
	kept := make(map[string]bool, len(after.Models))
	for i := range after.Models {
		kept[after.Models[i].ID] = true
	}
	for i := range before.Models {
		if id := before.Models[i].ID; !kept[id] {
			r.Removed = append(r.Removed, id)
		}
	}
}

// plan is a change worked out on the current release.
type plan struct {
	snapshot wire.Snapshot
	set      map[string]float64
	drop     []string
	// selections are overrides of policies by model; an empty one is dropped.
	selections map[string]wire.Selection
	// disable and enable are endpoints, by full id.
	disable, enable []string
	// rollout is the one whose step this is: its release is made even if nothing changes.
	rollout *controlstate.Rollout
	// canary is the one that the release ends, as it is then; nil if none is running.
	canary *controlstate.Canary
	// files is the digest of the files behind it, 0 if it has nothing to do with them.
	files    int64
	warnings []string
	// action and target are for the audit log.
	action, target string
}

// basis is what a change starts from.
type basis struct {
	db      *controlstate.State
	current *wire.Release // nil before the first
	// canary is the one that is running, nil if none is.
	canary *controlstate.Canary
	// Overrides are those in force.
	controlstate.Overrides
}

// snapshot returns the current content, for reading.
func (b *basis) snapshot() *wire.Snapshot {
	if b.current == nil {
		return &wire.Snapshot{}
	}
	return &b.current.Snapshot
}

// change works out a plan and commits it, and once more if another daemon was
// faster and the author did not insist on a release.
//
// A caller that gives up does not stop it: the outcome would be unknown.
// Every question to the database has its own time limit.
func (p *Publisher) change(ctx context.Context, c Change, work func(*basis) (*plan, error)) (Result, error) {
	ctx = context.WithoutCancel(ctx)
	p.changing.Lock()
	defer p.changing.Unlock()
	var conflict *controlstate.ConflictError
	r, err := p.tryChange(ctx, c, work)
	if errors.As(err, &conflict) && c.IfRelease == 0 || errors.Is(err, controlstate.ErrChanged) {
		r, err = p.tryChange(ctx, c, work)
	}
	return r, err
}

func (p *Publisher) tryChange(ctx context.Context, c Change, work func(*basis) (*plan, error)) (Result, error) {
	b, err := p.basis(ctx, c)
	if err != nil {
		return Result{}, err
	}
	w, err := work(b)
	if err != nil {
		return Result{}, err
	}
	ends := w.rollout != nil || w.canary != nil // its release is made whatever it changes
	next, err := b.release(c, w)
	if err != nil {
		return Result{}, err
	}
	r := Result{Release: b.current, Changes: compile.Diff(b.snapshot(), &w.snapshot), Warnings: w.warnings}
	r.countModels(b.snapshot(), &w.snapshot)
	if b.current != nil && next.Hash == b.current.Hash && w.keeps(b) && !ends {
		return r, nil
	}
	w.supersedes(b, c)
	r.Warnings = w.warnings
	r.Release, r.Changed = next, true
	doc, err := p.sealRelease(next)
	if err != nil || c.DryRun {
		return r, err
	}
	return r, p.commit(ctx, b.db, c, w, &r, doc)
}

// basis reads what is current from the database: another daemon may have been at work.
func (p *Publisher) basis(ctx context.Context, c Change) (*basis, error) {
	db, err := p.State()
	if err != nil {
		return nil, err
	}
	b := &basis{db: db}
	if b.current, err = db.Current(ctx); err != nil {
		return nil, err
	}
	if b.Overrides, err = db.Overrides(ctx); err != nil {
		return nil, err
	}
	if b.canary, err = db.ActiveCanary(ctx); err != nil {
		return nil, err
	}
	if b.canary != nil && b.current != nil && b.canary.Release.Number <= b.current.Number {
		b.canary = nil // a daemon that does not know of canaries has ended it
	}
	if c.IfRelease != 0 && (b.current == nil || b.current.Number != c.IfRelease) {
		return nil, conflict(b.current)
	}
	return b, nil
}

func conflict(r *wire.Release) error {
	if r == nil {
		return &controlstate.ConflictError{}
	}
	return &controlstate.ConflictError{Number: r.Number, Author: r.Author, Reason: r.Reason, Time: time.Unix(r.Time, 0)}
}

// next is the number of the release after the current one, and after the canary.
func (b *basis) next() uint64 {
	switch {
	case b.current == nil:
		return 1
	case b.canary != nil:
		return b.canary.Release.Number + 1
	}
	return b.current.Number + 1
}

// release returns the release that the plan makes.
func (b *basis) release(c Change, w *plan) (*wire.Release, error) {
	sum, err := w.snapshot.Sum()
	if err != nil {
		return nil, err
	}
	number := b.next()
	if w.canary != nil {
		number = w.canary.Final
	}
	return &wire.Release{
		V: wire.Version, Epoch: b.db.Epoch(), Number: number, Time: time.Now().Unix(), Author: c.Author, Reason: c.Reason, Hash: sum, Snapshot: w.snapshot,
	}, nil
}

// keeps reports whether what operators have set stays as it is.
func (w *plan) keeps(b *basis) bool {
	for id, weight := range w.set {
		if have, ok := b.Weights[id]; !ok || have != weight {
			return false
		}
	}
	for model, s := range w.selections {
		if b.Selections[model] != s {
			return false
		}
	}
	overridden := func(id string) bool { _, ok := b.Weights[id]; return ok }
	disabled := func(id string) bool { return b.Disabled[id] }
	enabled := func(id string) bool { return !b.Disabled[id] }
	return !slices.ContainsFunc(w.drop, overridden) && !slices.ContainsFunc(w.enable, disabled) && !slices.ContainsFunc(w.disable, enabled)
}

func (p *Publisher) commit(ctx context.Context, db *controlstate.State, c Change, w *plan, r *Result, doc *document) error {
	detail, err := describe(r)
	if err != nil {
		return err
	}
	err = db.Commit(ctx, controlstate.Commit{
		Release: *r.Release, Set: w.set, Delete: w.drop, Disable: w.disable, Enable: w.enable, Select: w.selections, Files: w.files, Rollout: w.rollout, Canary: w.canary,
		Audit: controlstate.Entry{Author: c.Author, Action: w.action, Target: w.target, Reason: c.Reason, Detail: detail},
	})
	if err != nil {
		return err
	}
	p.prepared.Store(doc)
	p.release.Store(r.Release)
	p.Kick()
	return nil
}

// describe says for the audit log what a release brings, as JSON.
func describe(r *Result) (string, error) {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // there are arrows in it
	err := enc.Encode(map[string]any{"release": r.Release.Number, "changes": r.Changes[:min(len(r.Changes), auditedChanges)]})
	if err != nil {
		return "", fmt.Errorf("describe release %d: %w", r.Release.Number, err)
	}
	return strings.TrimSpace(text.String()), nil
}

// auditedChanges is how many changes the audit log spells out.
const auditedChanges = 100
