package controlstate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
)

// The states of a Rollout. All but the first two are final.
const (
	RolloutRunning = "running"
	RolloutPaused  = "paused"
	// RolloutCompleted has taken its last step.
	RolloutCompleted = "completed"
	// RolloutTakenBack has failed its guard, RolloutAborted was aborted by an
	// operator: the weights are those from before.
	RolloutTakenBack = "taken_back"
	RolloutAborted   = "aborted"
	// RolloutSuperseded has stopped because someone else has changed the weights.
	RolloutSuperseded = "superseded"
)

// Rollout moves the traffic of a model to one of its endpoints, step by step.
type Rollout struct {
	ID, Model, State string
	// Version is that of the row that was read; 0 for a rollout that is new. A
	// change of any other version is ErrChanged.
	Version int64
	Created time.Time // to the millisecond
	RolloutContent
}

// Active reports whether the rollout has not ended.
func (r *Rollout) Active() bool { return r.State == RolloutRunning || r.State == RolloutPaused }

// RolloutContent is what is kept of a rollout as JSON.
type RolloutContent struct {
	// Endpoint is the full id of the one that gets the traffic.
	Endpoint string `json:"endpoint"`
	// Steps are shares of the traffic in percent, rising.
	Steps       []float64     `json:"steps"`
	Every       time.Duration `json:"every_ns"`
	Guard       string        `json:"guard"`
	MinRequests uint64        `json:"min_requests"`
	Author      string        `json:"author"`
	Reason      string        `json:"reason"`

	// Policy is that of the model, by which weights make shares.
	Policy string `json:"policy"`
	// Step is the index of the current one. Since is when it began, or when the
	// rollout was resumed.
	Step  int       `json:"step"`
	Since time.Time `json:"since"`
	// Release is the last one that the rollout has made.
	Release uint64 `json:"release"`
	// Before are the weights from before the rollout, Set those that it has set, by
	// endpoint: all endpoints of the model.
	Before map[string]RolloutWeight `json:"before"`
	Set    map[string]float64       `json:"set"`
	// Others is what the other endpoints did in the step before, as package
	// rollout writes it; null before the second.
	Others json.RawMessage `json:"others"`
	// Log has a line for each change.
	Log []RolloutEvent `json:"log"`
	// Ended and Why are of a rollout that has ended.
	Ended time.Time `json:"ended"`
	Why   string    `json:"why"`
}

// RolloutWeight is a weight from before a rollout.
type RolloutWeight struct {
	Weight float64 `json:"weight"`
	// Override: an operator had set it.
	Override bool `json:"override"`
	Disabled bool `json:"disabled"`
}

// RolloutEvent is a change of a rollout.
type RolloutEvent struct {
	Time time.Time `json:"time"`
	// Release is the one that it made, 0 for none; Share is what the endpoint has
	// since then, in percent.
	Release uint64  `json:"release"`
	Share   float64 `json:"share"`
	What    string  `json:"what"`
}

// write adds or changes the row, and counts the change for Heads. The column of
// the version takes no NULL, so that another version fails the batch.
func (r *Rollout) write() ([]database.Statement, error) {
	content, err := json.Marshal(r.RolloutContent)
	if err == nil {
		err = errors.Join(checkText("rollout", r.ID, r.Model, r.State), checkText("rollout", r.Author, r.Reason, r.Why))
	}
	if err != nil {
		return nil, err
	}
	change := database.SQL(`UPDATE control_rollouts SET state = $2, content = $3,
		version = CASE version WHEN CAST($4 AS BIGINT) THEN version + 1 END WHERE id = $1`, r.ID, r.State, string(content), r.Version)
	if r.Version == 0 {
		change = database.SQL("INSERT INTO control_rollouts (id, model, state, version, created, content) VALUES ($1, $2, $3, 1, $4, $5)",
			r.ID, r.Model, r.State, r.Created.UnixMilli(), string(content))
	}
	return []database.Statement{change, countRollouts()}, nil
}

// countRollouts counts a change of a rollout or canary for Heads.
func countRollouts() database.Statement {
	return database.SQL(`INSERT INTO control_meta (name, value) VALUES ('rollouts', 1)
		ON CONFLICT (name) DO UPDATE SET value = control_meta.value + 1`)
}

// ChangeRollout stores a rollout whose change needs no release, and records the
// audit entry. It gives ErrChanged when someone else has changed it.
func (s *State) ChangeRollout(ctx context.Context, r *Rollout, audit Entry) error {
	change, err := r.write()
	if err == nil {
		err = audit.check()
	}
	if err == nil {
		err = s.writeVersions(ctx, append(change, audit.insert()))
	}
	if err != nil {
		return fmt.Errorf("rollout of %s: %w", r.Model, err)
	}
	return nil
}

// writeVersions runs a batch of which a statement fails where another version is
// stored than it expects: that is ErrChanged.
func (s *State) writeVersions(ctx context.Context, batch []database.Statement) error {
	_, err := s.write(ctx, batch)
	if errors.Is(err, database.ErrConstraint) {
		return ErrChanged
	}
	return err
}

const rolloutColumns = "SELECT id, model, state, version, created, content FROM control_rollouts "

// ActiveRollouts are those that have not ended, oldest first.
func (s *State) ActiveRollouts(ctx context.Context) ([]Rollout, error) {
	return s.rollouts(ctx, database.SQL(rolloutColumns+"WHERE state IN ('running', 'paused') ORDER BY created, id"))
}

// Rollouts lists the rollouts of a model, or of all for "", newest first: at
// most limit (1 to MaxPage).
func (s *State) Rollouts(ctx context.Context, model string, limit int) ([]Rollout, error) {
	if limit < 1 || limit > MaxPage {
		return nil, fmt.Errorf("%w: limit %d, must be 1 to %d", ErrInvalid, limit, MaxPage)
	}
	if model == "" {
		return s.rollouts(ctx, database.SQL(rolloutColumns+"ORDER BY created DESC, id LIMIT CAST($1 AS BIGINT)", limit))
	}
	return s.rollouts(ctx, database.SQL(rolloutColumns+"WHERE model = $1 ORDER BY created DESC, id LIMIT CAST($2 AS BIGINT)", model, limit))
}

func (s *State) rollouts(ctx context.Context, query database.Statement) (list []Rollout, err error) {
	err = s.read(ctx, query, func(row database.Row) error {
		var r Rollout
		var created int64
		var content string
		if err := row.Scan(&r.ID, &r.Model, &r.State, &r.Version, &created, &content); err != nil {
			return err
		}
		r.Created = time.UnixMilli(created).UTC()
		if err := json.Unmarshal([]byte(content), &r.RolloutContent); err != nil {
			return fmt.Errorf("rollout %s: %w", r.ID, err)
		}
		list = append(list, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rollouts: %w", err)
	}
	return list, nil
}
