package controlstate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/wire"
)

// The states of a Canary. All but the first are final.
const (
	CanaryRunning = "running"
	// CanaryPromoted has become the release of all nodes.
	CanaryPromoted = "promoted"
	// CanaryTakenBack has failed its guard, CanaryAborted was aborted by an operator.
	CanaryTakenBack = "taken_back"
	CanaryAborted   = "aborted"
	// CanarySuperseded has ended because someone else has made a release.
	CanarySuperseded = "superseded"
)

// Canary is a release that some nodes serve before all others. At most one is running.
type Canary struct {
	ID, State string
	// Version is that of the row that was read; 0 for a canary that is new. A
	// change of any other version is ErrChanged.
	Version int64
	Created time.Time // to the millisecond
	// Release has the number after the current one's.
	Release wire.Release
	CanaryContent
}

// CanaryContent is what is kept of a canary as JSON.
type CanaryContent struct {
	Nodes []string `json:"nodes"`
	// Takes is how long the nodes serve it before it goes to all.
	Takes       time.Duration `json:"for_ns"`
	Guard       string        `json:"guard"`
	MinRequests uint64        `json:"min_requests"`
	// Models are those that are compared, Endpoints the ones of them that are new
	// or were changed.
	Models    []string `json:"models"`
	Endpoints []string `json:"endpoints"`
	// Delete, Disable, Enable and Select are those of the Commit that promotes it.
	Delete  []string                  `json:"delete,omitempty"`
	Disable []string                  `json:"disable,omitempty"`
	Enable  []string                  `json:"enable,omitempty"`
	Select  map[string]wire.Selection `json:"select,omitempty"`
	// Ended, By and Why are of a canary that has ended; Final is the release then.
	Ended time.Time `json:"ended"`
	By    string    `json:"by"`
	Why   string    `json:"why"`
	Final uint64    `json:"final"`
}

// writeCanary adds or changes the row, and counts the change for Heads. The column of
// the version takes no NULL, so that another version fails the batch, and so does a new
// canary whose number is not the next.
func (s *State) writeCanary(c *Canary) ([]database.Statement, error) {
	content, err := json.Marshal(c.CanaryContent)
	if err == nil {
		err = errors.Join(checkText("canary", c.ID, c.State, c.Guard, c.By, c.Why, c.Release.Author, c.Release.Reason), checkText("node", c.Nodes...))
	}
	if err != nil {
		return nil, err
	}
	if c.Version > 0 {
		return []database.Statement{database.SQL(`UPDATE control_canaries SET state = $2, content = $3,
			version = CASE version WHEN CAST($4 AS BIGINT) THEN version + 1 END WHERE id = $1`, c.ID, c.State, string(content), c.Version), countRollouts()}, nil
	}
	release, err := s.pack(&c.Release)
	if err != nil {
		return nil, err
	}
	return []database.Statement{database.SQL(`INSERT INTO control_canaries (id, state, version, created, content, release) VALUES ($1, $2,
		CASE CAST($3 AS BIGINT) WHEN (SELECT coalesce(max(number), 0) + 1 FROM control_releases) THEN 1 END, $4, $5, $6)`,
		c.ID, c.State, int64(c.Release.Number), c.Created.UnixMilli(), string(content), release), countRollouts()}, nil
}

// StartCanary stores a canary and records the audit entry and the digest of the
// files that it was made from, unless that is 0: all of it or nothing. It gives ErrChanged if another
// one is running or the release before it is not the current one.
func (s *State) StartCanary(ctx context.Context, c *Canary, files int64, audit Entry) error {
	if err := s.check(&Commit{Release: c.Release, Delete: c.Delete, Disable: c.Disable, Enable: c.Enable, Select: c.Select, Audit: audit}); err != nil {
		return fmt.Errorf("canary %s: %w", c.ID, err)
	}
	batch, err := s.writeCanary(c)
	if err == nil {
		batch = append(append(batch, (&Commit{Files: files}).recordFiles()...), audit.insert())
		err = s.writeVersions(ctx, batch)
	}
	if err != nil {
		return fmt.Errorf("canary %s: %w", c.ID, err)
	}
	return nil
}

// EndCanary stores that a canary has ended by a release that was made without
// regard to it. It gives ErrChanged when someone else has changed it.
func (s *State) EndCanary(ctx context.Context, c *Canary, audit Entry) error {
	batch, err := s.writeCanary(c)
	if err == nil {
		err = audit.check()
	}
	if err == nil {
		err = s.writeVersions(ctx, append(batch, audit.insert()))
	}
	if err != nil {
		return fmt.Errorf("canary %s: %w", c.ID, err)
	}
	return nil
}

// endCanary returns the statements of a commit that ends one. A canary that is not promoted
// becomes a release of the history, so that its number is no other's.
func (s *State) endCanary(c *Commit) ([]database.Statement, error) {
	if c.Canary == nil {
		return nil, nil
	}
	batch, err := s.writeCanary(c.Canary)
	if err != nil || c.Canary.State == CanaryPromoted {
		return batch, err
	}
	r := c.Canary.Release
	content, err := s.pack(&r)
	if err != nil {
		return nil, err
	}
	return append([]database.Statement{insertRelease(&r, content)}, batch...), nil
}

const canaryColumns = "SELECT id, state, version, created, content, release FROM control_canaries "

// ActiveCanary returns the canary that is running, nil if none is.
func (s *State) ActiveCanary(ctx context.Context) (*Canary, error) {
	list, err := s.canaries(ctx, database.SQL(canaryColumns+"WHERE state = 'running'"))
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// Canaries lists canaries, newest first: at most limit (1 to MaxPage).
func (s *State) Canaries(ctx context.Context, limit int) ([]Canary, error) {
	if limit < 1 || limit > MaxPage {
		return nil, fmt.Errorf("%w: limit %d, must be 1 to %d", ErrInvalid, limit, MaxPage)
	}
	return s.canaries(ctx, database.SQL(canaryColumns+"ORDER BY created DESC, id LIMIT CAST($1 AS BIGINT)", limit))
}

func (s *State) canaries(ctx context.Context, query database.Statement) (list []Canary, err error) {
	err = s.read(ctx, query, func(row database.Row) error {
		var c Canary
		var created int64
		var content, release string
		if err := row.Scan(&c.ID, &c.State, &c.Version, &created, &content, &release); err != nil {
			return err
		}
		c.Created = time.UnixMilli(created).UTC()
		if err := json.Unmarshal([]byte(content), &c.CanaryContent); err != nil {
			return fmt.Errorf("canary %s: %w", c.ID, err)
		}
		r, err := s.unpack(release)
		if err != nil {
			return fmt.Errorf("canary %s: %w", c.ID, err)
		}
		c.Release = *r
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read canaries: %w", err)
	}
	return list, nil
}
