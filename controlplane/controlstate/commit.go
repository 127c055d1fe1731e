package controlstate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/wire"
)

// keptReleases is how much history a commit leaves.
const keptReleases = 2000

// Commit is one change of the routing.
type Commit struct {
	// Release is complete: Number one above the release that it was made from
	// (1 for the first), or above that of the Canary that it ends, Epoch that of the state, Hash that of its Snapshot.
	Release wire.Release
	// Set are overrides to write, endpoint id to weight; Delete are overrides
	// to drop, whether they are there or not.
	Set    map[string]float64
	Delete []string
	// Disable and Enable are endpoints to take out of service and to put back.
	Disable, Enable []string
	// Select are policies and affinities to write, by model id; an empty one drops
	// what was set.
	Select map[string]wire.Selection
	// Files is the digest of the configuration files that the release was made
	// from, 0 to leave the one recorded before.
	Files int64
	// Rollout is the one whose step the change is, nil for any other.
	Rollout *Rollout
	// Canary is the one that the release ends, changed since it was read; nil if none
	// is running. Its own release is the one that is made if it is promoted.
	Canary *Canary
	// Audit is recorded with the change. Its Author is also the overrides'.
	Audit Entry
}

// Commit makes c.Release current, changes the overrides and records the audit
// entry: all of it or nothing. It gives a *ConflictError when the current
// release is not the one before c.Release, ErrChanged when c.Rollout or c.Canary was changed
// meanwhile, and ErrInvalid for what cannot be stored. History beyond 2,000 releases is dropped.
func (s *State) Commit(ctx context.Context, c Commit) error {
	if err := s.check(&c); err != nil {
		return fmt.Errorf("commit release %d: %w", c.Release.Number, err)
	}
	content, err := s.pack(&c.Release)
	if err != nil {
		return err
	}
	rollout, err := c.rollout()
	if err != nil {
		return fmt.Errorf("commit release %d: %w", c.Release.Number, err)
	}
	canary, err := s.endCanary(&c)
	if err != nil {
		return fmt.Errorf("commit release %d: %w", c.Release.Number, err)
	}
	batch := slices.Concat(canary, []database.Statement{insertRelease(&c.Release, content)}, c.overrides(), c.recordFiles(), rollout, []database.Statement{c.Audit.insert(), c.prune()})
	if _, err := s.write(ctx, batch); err != nil {
		if errors.Is(err, database.ErrConstraint) {
			err = s.conflict(ctx, c.first(), err)
			if (c.Rollout != nil || c.Canary != nil) && errors.Is(err, database.ErrConstraint) {
				err = ErrChanged
			}
		}
		return fmt.Errorf("commit release %d: %w", c.Release.Number, err)
	}
	return nil
}

// insertRelease fails on a number that is not the next: its row would have none.
func insertRelease(r *wire.Release, content string) database.Statement {
	const insert = `INSERT INTO control_releases (number, epoch, time, author, reason, hash, models, content) VALUES (
		CASE CAST($1 AS BIGINT) WHEN (SELECT coalesce(max(number), 0) + 1 FROM control_releases) THEN CAST($1 AS BIGINT) END,
		$2, $3, $4, $5, $6, $7, $8)`
	return database.SQL(insert, int64(r.Number), int64(r.Epoch), r.Time, r.Author, r.Reason, r.Hash, len(r.Snapshot.Models), content)
}

func (c *Commit) overrides() []database.Statement {
	const drop = "DELETE FROM control_overrides WHERE endpoint = $1"
	const set = `INSERT INTO control_overrides (endpoint, weight, author, time) VALUES ($1, $2, $3, $4)
		ON CONFLICT (endpoint) DO UPDATE SET weight = excluded.weight, author = excluded.author, time = excluded.time`
	const disable = "INSERT INTO control_disabled (endpoint, author, time) VALUES ($1, $2, $3) ON CONFLICT (endpoint) DO NOTHING"
	const enable = "DELETE FROM control_disabled WHERE endpoint = $1"
	list := make([]database.Statement, 0, len(c.Delete)+len(c.Set)+len(c.Disable)+len(c.Enable)+len(c.Select))
	for _, endpoint := range c.Delete {
		list = append(list, database.SQL(drop, endpoint))
	}
	for _, endpoint := range slices.Sorted(maps.Keys(c.Set)) {
		list = append(list, database.SQL(set, endpoint, c.Set[endpoint], c.Audit.Author, c.Release.Time))
	}
	for _, endpoint := range c.Enable {
		list = append(list, database.SQL(enable, endpoint))
	}
	for _, endpoint := range c.Disable {
		list = append(list, database.SQL(disable, endpoint, c.Audit.Author, c.Release.Time))
	}
	return append(list, c.selections()...)
}

func (c *Commit) selections() (list []database.Statement) {
	const drop = "DELETE FROM control_policies WHERE model = $1"
	const set = `INSERT INTO control_policies (model, policy, affinity, author, time) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (model) DO UPDATE SET policy = excluded.policy, affinity = excluded.affinity, author = excluded.author, time = excluded.time`
	for _, model := range slices.Sorted(maps.Keys(c.Select)) {
		if s := c.Select[model]; s == (wire.Selection{}) {
			list = append(list, database.SQL(drop, model))
		} else {
			list = append(list, database.SQL(set, model, s.Policy, s.Affinity, c.Audit.Author, c.Release.Time))
		}
	}
	return list
}

func (c *Commit) rollout() ([]database.Statement, error) {
	if c.Rollout == nil {
		return nil, nil
	}
	return c.Rollout.write()
}

func (c *Commit) prune() database.Statement {
	return database.SQL("DELETE FROM control_releases WHERE number <= $1", int64(c.Release.Number)-keptReleases)
}

// first is the number of the first release that the commit makes.
func (c *Commit) first() uint64 {
	if c.Canary != nil {
		return c.Canary.Release.Number
	}
	return c.Release.Number
}

// conflict finds out whether the refusal of release number was one.
func (s *State) conflict(ctx context.Context, number uint64, refusal error) error {
	latest, err := s.Releases(ctx, 1, 0)
	if err != nil {
		return errors.Join(refusal, err)
	}
	if len(latest) == 0 {
		return &ConflictError{}
	}
	l := latest[0]
	if l.Number == number-1 {
		return refusal
	}
	return &ConflictError{Number: l.Number, Author: l.Author, Reason: l.Reason, Time: l.Time}
}

func (s *State) check(c *Commit) error {
	r := &c.Release
	if r.Number < 1 || r.Number > math.MaxInt64 {
		return fmt.Errorf("%w: number %d, the first is 1", ErrInvalid, r.Number)
	}
	if r.Epoch != s.epoch {
		return fmt.Errorf("%w: epoch %d, the state's is %d", ErrInvalid, r.Epoch, s.epoch)
	}
	sum, err := r.Snapshot.Sum()
	if err != nil {
		return err
	}
	if r.Hash != sum {
		return fmt.Errorf("%w: hash %.12s, the snapshot's is %.12s", ErrInvalid, r.Hash, sum)
	}
	for endpoint, weight := range c.Set {
		if endpoint == "" || !(weight >= 0 && weight <= math.MaxFloat64) {
			return fmt.Errorf("%w: override of endpoint %q with weight %v", ErrInvalid, endpoint, weight)
		}
		if err := checkText("endpoint", endpoint); err != nil {
			return err
		}
	}
	for model, s := range c.Select {
		if model == "" || !s.Known() {
			return fmt.Errorf("%w: policy %q, affinity %q of model %q", ErrInvalid, s.Policy, s.Affinity, model)
		}
		if err := checkText("model", model); err != nil {
			return err
		}
	}
	if err := errors.Join(checkText("author", r.Author), checkText("reason", r.Reason), checkText("endpoint", slices.Concat(c.Delete, c.Disable, c.Enable)...)); err != nil {
		return err
	}
	return c.Audit.check()
}
