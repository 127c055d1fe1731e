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

// Team is a group of users and keys with limits of its own. Its keys are those
// that name it, and those of its users that name none.
type Team struct {
	ID   string
	Name string
	// Owner is who answers for the team; for people.
	Owner string
	// Models are the only models allowed to the team's keys; empty means no restriction.
	Models []string
	Limits []wire.Limit
	// Metadata is for reports, such as a cost centre.
	Metadata map[string]string
	// Users are the members, each in one team at most, ordered by name.
	Users   []string
	Created time.Time
	// Version counts the changes.
	Version int64
}

// Teams lists all teams by name.
func (s *State) Teams(ctx context.Context) ([]Team, error) {
	list, err := s.teams(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list teams: %w", err)
	}
	return list, nil
}

// Team returns the team with that id or name, ErrNotFound when there is none.
func (s *State) Team(ctx context.Context, id string) (Team, error) {
	if checkText("team", id) != nil || id == "" {
		return Team{}, fmt.Errorf("team %q: %w", id, ErrNotFound)
	}
	list, err := s.teams(ctx, "WHERE id = $1 OR name = $1", id)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Team{}, fmt.Errorf("team %q: %w", id, err)
	}
	return list[0], nil
}

func (s *State) teams(ctx context.Context, where string, args ...any) (list []Team, err error) {
	// one statement: a row for each user, or one without
	query := `SELECT id, name, owner, models, limits, metadata, created, version, coalesce(user_id, '')
		FROM control_teams LEFT JOIN control_team_users ON team = id ` + where + ` ORDER BY name, user_id`
	err = s.read(ctx, database.SQL(query, args...), func(r database.Row) error {
		var t Team
		var models, limits, metadata, user string
		var created int64
		if err := r.Scan(&t.ID, &t.Name, &t.Owner, &models, &limits, &metadata, &created, &t.Version, &user); err != nil {
			return err
		}
		if n := len(list); n == 0 || list[n-1].ID != t.ID {
			if err := t.decode(models, limits, metadata); err != nil {
				return err
			}
			t.Created = moment(created)
			list = append(list, t)
		}
		if last := &list[len(list)-1]; user != "" {
			last.Users = append(last.Users, user)
		}
		return nil
	})
	return list, err
}

func (t *Team) decode(models, limits, metadata string) (err error) {
	t.Limits, err = readLimits(limits)
	err = errors.Join(err, json.Unmarshal([]byte(models), &t.Models), json.Unmarshal([]byte(metadata), &t.Metadata))
	if err != nil {
		return fmt.Errorf("team %q: %w", t.ID, err)
	}
	return nil
}

// CreateTeam stores a new team and records the audit entry. It gives ErrExists
// when the id or the name is taken, or when a user is in another team.
func (s *State) CreateTeam(ctx context.Context, t Team, audit Entry) error {
	const insert = "INSERT INTO control_teams (id, name, owner, models, limits, metadata, created, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)"
	row, err := t.check(audit)
	if err != nil {
		return fmt.Errorf("create team %q: %w", t.Name, err)
	}
	batch := []database.Statement{
		database.SQL(insert, t.ID, t.Name, t.Owner, row.models, row.limits, row.metadata, seconds(t.Created)),
		database.SQL(bumpKeys), audit.insert(),
	}
	for _, user := range t.Users {
		batch = append(batch, database.SQL("INSERT INTO control_team_users (user_id, team) VALUES ($1, $2)", user, t.ID))
	}
	if _, err = s.write(ctx, batch); errors.Is(err, database.ErrConstraint) {
		err = ErrExists
	}
	if err != nil {
		return fmt.Errorf("create team %q: %w", t.Name, err)
	}
	return nil
}

// teamAs + $n AND version = $m + ")" is true while a team is as the caller read it.
const teamAs = "EXISTS (SELECT 1 FROM control_teams WHERE id = "

// UpdateTeam replaces everything of the team but its id and its creation and
// records the audit entry. It gives ErrChanged when t.Version is not the
// stored one, and ErrExists like CreateTeam.
func (s *State) UpdateTeam(ctx context.Context, t Team, audit Entry) error {
	row, err := t.check(audit)
	if err != nil {
		return fmt.Errorf("update team %q: %w", t.Name, err)
	}
	batch := []database.Statement{
		audit.insertIf("WHERE "+teamAs+"$7 AND version = $8)", t.ID, t.Version),
		database.SQL(bumpKeys+" AND "+teamAs+"$1 AND version = $2)", t.ID, t.Version),
		database.SQL("DELETE FROM control_team_users WHERE team = $1 AND "+teamAs+"$1 AND version = $2)", t.ID, t.Version),
	}
	for _, user := range t.Users {
		batch = append(batch, database.SQL("INSERT INTO control_team_users (user_id, team) SELECT CAST($1 AS TEXT), CAST($2 AS TEXT) WHERE "+teamAs+"$2 AND version = $3)",
			user, t.ID, t.Version))
	}
	batch = append(batch, database.SQL("UPDATE control_teams SET name = $3, owner = $4, models = $5, limits = $6, metadata = $7, version = version + 1 WHERE id = $1 AND version = $2",
		t.ID, t.Version, t.Name, t.Owner, row.models, row.limits, row.metadata))
	changed, err := s.write(ctx, batch)
	switch {
	case errors.Is(err, database.ErrConstraint):
		err = ErrExists
	case err == nil && changed[len(changed)-1] == 0:
		err = ErrChanged
	}
	if err != nil {
		return fmt.Errorf("update team %q: %w", t.Name, err)
	}
	return nil
}

// DeleteTeam removes a team and records the audit entry. Unless force is set,
// it gives ErrInUse while the team has users or keys that are not revoked; with
// it they belong to no team afterwards.
func (s *State) DeleteTeam(ctx context.Context, t Team, force bool, audit Entry) error {
	if err := audit.check(); err != nil {
		return err
	}
	members := "EXISTS (SELECT 1 FROM control_team_users WHERE team = $1) OR EXISTS (SELECT 1 FROM control_keys WHERE team = $1 AND revoked = 0)"
	if force {
		members = "1 = 0"
	}
	changed, err := s.write(ctx, []database.Statement{
		database.SQL("DELETE FROM control_teams WHERE id = $1 AND version = $2 AND NOT ("+members+")", t.ID, t.Version),
		// what follows happens if the team is gone
		audit.insertIf("WHERE NOT "+teamAs+"$7)", t.ID),
		database.SQL(bumpKeys+" AND NOT "+teamAs+"$1)", t.ID),
		database.SQL("DELETE FROM control_team_users WHERE team = $1 AND NOT "+teamAs+"$1)", t.ID),
		database.SQL("UPDATE control_keys SET team = '' WHERE team = $1 AND NOT "+teamAs+"$1)", t.ID),
	})
	if err == nil && changed[0] == 0 {
		err = fmt.Errorf("%w; with force they belong to no team afterwards", ErrInUse)
		if now, lost := s.Team(ctx, t.ID); lost != nil || now.Version != t.Version {
			err = ErrChanged
		}
	}
	if err != nil {
		return fmt.Errorf("delete team %q: %w", t.Name, err)
	}
	return nil
}

type teamRow struct{ models, limits, metadata string }

func (t *Team) check(audit Entry) (row teamRow, err error) {
	if t.ID == "" || t.Name == "" {
		return row, fmt.Errorf("%w: team without id or name", ErrInvalid)
	}
	errs := []error{
		checkText("id", t.ID), checkText("name", t.Name), checkText("owner", t.Owner), checkText("model", t.Models...),
		checkText("user", t.Users...), audit.check(),
	}
	for name, value := range t.Metadata {
		errs = append(errs, checkText("metadata", name, value))
	}
	if err := errors.Join(errs...); err != nil {
		return row, err
	}
	if row.models, err = writeList(t.Models); err != nil {
		return row, err
	}
	if row.limits, err = writeLimits(t.Limits); err != nil {
		return row, err
	}
	metadata, err := json.Marshal(t.Metadata)
	if t.Metadata == nil {
		metadata = []byte("{}")
	}
	row.metadata = string(metadata)
	return row, err
}
