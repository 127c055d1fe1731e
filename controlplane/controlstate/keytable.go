package controlstate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/database"
	"github.com/hybridinference/gateway/shared/wire"
)

// The kinds of rows of tableQuery.
const (
	rowVersion = iota
	rowKey
	rowTeam
	rowTeamUser
	rowLimits
)

// tableQuery is one statement, so that the version is that of all the rest.
const tableQuery = `SELECT 0 AS kind, '' AS id, '' AS hash, '' AS name, '' AS user_id, '' AS role, '' AS models, '' AS limits, '' AS team, value AS number, 0 AS priority
		FROM control_meta WHERE control_meta.name = 'key_version'
	UNION ALL SELECT 1, id, hash, name, user_id, role, models, limits, team, expires, priority FROM control_keys
		WHERE revoked = 0 AND disabled = 0 AND role <> 'management' AND (expires = 0 OR expires > $1)
	UNION ALL SELECT 2, id, '', name, '', '', models, limits, '', 0, 0 FROM control_teams
	UNION ALL SELECT 3, '', '', '', user_id, '', '', '', team, 0, 0 FROM control_team_users
	UNION ALL SELECT 4, holder, '', '', '', '', '', limits, '', 0, 0 FROM control_limits WHERE limits <> '[]'
	ORDER BY 1, 2`

// tableRow is a row of tableQuery.
type tableRow struct {
	kind                                                int
	id, hash, name, user, role, models, limitText, team string
	number, priority                                    int64
}

// KeyTable returns the keys that nodes accept, neither revoked, expired nor disabled, ordered by
// id, with the teams and all limits, and a version that every change of any of
// them has raised.
func (s *State) KeyTable(ctx context.Context) (*wire.KeyTable, error) {
	t := &wire.KeyTable{V: wire.Version, Epoch: s.epoch, Keys: []wire.Key{}}
	teamOf := map[string]string{}
	err := s.read(ctx, database.SQL(tableQuery, time.Now().Unix()), func(r database.Row) error {
		var row tableRow
		if err := r.Scan(&row.kind, &row.id, &row.hash, &row.name, &row.user, &row.role, &row.models, &row.limitText, &row.team, &row.number, &row.priority); err != nil {
			return err
		}
		return row.add(t, teamOf)
	})
	if err != nil {
		return nil, fmt.Errorf("read key table: %w", err)
	}
	for i := range t.Keys {
		t.Keys[i].Team = cmp.Or(t.Keys[i].Team, teamOf[t.Keys[i].User])
	}
	return t, nil
}

// add puts the row where it belongs: into the table, or a user's team into teamOf.
func (r *tableRow) add(t *wire.KeyTable, teamOf map[string]string) error {
	var models []string
	var limits []wire.Limit
	if r.models != "" {
		if err := json.Unmarshal([]byte(r.models), &models); err != nil {
			return fmt.Errorf("models of %q: %w", r.id, err)
		}
	}
	if r.limitText != "" {
		var err error
		if limits, err = readLimits(r.limitText); err != nil {
			return fmt.Errorf("%q: %w", r.id, err)
		}
	}
	switch r.kind {
	case rowVersion:
		t.Version = uint64(r.number)
	case rowKey:
		t.Keys = append(t.Keys, wire.Key{
			ID: r.id, Hash: r.hash, Name: r.name, User: r.user, Role: r.role, Models: models, Expires: r.number, Team: r.team, Limits: limits, Priority: int(r.priority),
		})
	case rowTeam:
		t.Teams = append(t.Teams, wire.Team{ID: r.id, Name: r.name, Models: models, Limits: limits})
	case rowTeamUser:
		teamOf[r.user] = r.team
	case rowLimits:
		user, ok := strings.CutPrefix(r.id, userPrefix)
		if !ok {
			t.Gateway = limits
			break
		}
		if t.Users == nil {
			t.Users = map[string][]wire.Limit{}
		}
		t.Users[user] = limits
	}
	return nil
}
