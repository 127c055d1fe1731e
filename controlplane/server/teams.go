package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/shared/wire"
)

// maxMembers and maxMetadata bound a team.
const (
	maxMembers  = 1000
	maxMetadata = 16
)

func showTeam(t *controlstate.Team, table *wire.KeyTable) adminapi.Team {
	out := adminapi.Team{
		ID: t.ID, Name: t.Name, Owner: t.Owner, Models: t.Models, Limits: showLimits(t.Limits), Metadata: t.Metadata, Users: t.Users, Created: t.Created,
	}
	if out.Metadata == nil {
		out.Metadata = map[string]string{}
	}
	for i := range table.Keys {
		if table.Keys[i].Team == t.ID {
			out.Keys = append(out.Keys, table.Keys[i].ID)
		}
	}
	return out
}

func (s *Server) teams(ctx context.Context, _ adminapi.None) ([]adminapi.Team, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	list, err := db.Teams(ctx)
	if err != nil {
		return nil, err
	}
	table, err := db.KeyTable(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]adminapi.Team, len(list))
	for i := range list {
		out[i] = showTeam(&list[i], table)
	}
	return out, nil
}

func (s *Server) team(ctx context.Context, in adminapi.ByID) (adminapi.Team, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return adminapi.Team{}, err
	}
	t, err := db.Team(ctx, in.ID)
	if err != nil {
		return adminapi.Team{}, err
	}
	table, err := db.KeyTable(ctx)
	if err != nil {
		return adminapi.Team{}, err
	}
	return showTeam(&t, table), nil
}

// teamID returns the id of the team with that id or name, "" for "".
func teamID(ctx context.Context, db *controlstate.State, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	t, err := db.Team(ctx, name)
	if errors.Is(err, controlstate.ErrNotFound) {
		return "", badRequest("team: %q not found", name)
	}
	return t.ID, err
}

func (s *Server) createTeam(ctx context.Context, in adminapi.TeamCreation) (adminapi.ChangedTeam, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return adminapi.ChangedTeam{}, err
	}
	t := controlstate.Team{
		ID: keys.NewTeamID(), Name: strings.TrimSpace(in.Name), Owner: in.Owner, Models: in.Models, Metadata: in.Metadata, Users: in.Users,
		Created: time.Now().UTC().Truncate(time.Second),
	}
	if t.Limits, err = s.mergeLimits(nil, in.Limits, ""); err != nil {
		return adminapi.ChangedTeam{}, err
	}
	return s.storeTeam(ctx, db, t, in.KeyChange, "team.create", db.CreateTeam)
}

func (s *Server) updateTeam(ctx context.Context, in adminapi.TeamPatch) (adminapi.ChangedTeam, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return adminapi.ChangedTeam{}, err
	}
	t, err := db.Team(ctx, in.ID)
	if err != nil {
		return adminapi.ChangedTeam{}, err
	}
	t.Name, t.Owner = strings.TrimSpace(or(in.Name, t.Name)), or(in.Owner, t.Owner)
	t.Models, t.Metadata, t.Users = or(in.Models, t.Models), or(in.Metadata, t.Metadata), or(in.Users, t.Users)
	if t.Limits, err = s.mergeLimits(t.Limits, in.Limits, ""); err != nil {
		return adminapi.ChangedTeam{}, err
	}
	return s.storeTeam(ctx, db, t, in.KeyChange, "team.update", db.UpdateTeam)
}

// storeTeam checks a team, stores it and publishes the key table.
func (s *Server) storeTeam(ctx context.Context, db *controlstate.State, t controlstate.Team, in adminapi.KeyChange, action string,
	store func(context.Context, controlstate.Team, controlstate.Entry) error,
) (out adminapi.ChangedTeam, err error) {
	others, err := db.Teams(ctx)
	if err != nil {
		return out, err
	}
	if err := s.checkTeam(&t, others); err != nil {
		return out, err
	}
	audit := keyEntry(in, action, t.ID)
	audit.Detail = limitDetail(t.Limits)
	if err := store(lasting(ctx), t, audit); err != nil {
		return out, err
	}
	if t, err = db.Team(ctx, t.ID); err != nil {
		return out, err
	}
	table, err := db.KeyTable(ctx)
	if err != nil {
		return out, err
	}
	return adminapi.ChangedTeam{Team: showTeam(&t, table), Nodes: s.keyRollout(ctx, db, in)}, nil
}

// checkTeam refuses what is wrong with a team and puts its lists in order.
func (s *Server) checkTeam(t *controlstate.Team, others []controlstate.Team) error {
	if t.Name == "" || len(t.Name) > 200 || strings.ContainsFunc(t.Name, unicode.IsControl) || strings.HasPrefix(t.Name, "t_") {
		return badRequest("name: must have 1 to 200 bytes, no control characters, and not begin with t_, got %q", t.Name)
	}
	for i, name := range t.Models {
		id := s.modelID(name)
		if id == "" {
			return badRequest("models: model %q not found; available: %s", name, strings.Join(s.modelIDs(), ", "))
		}
		t.Models[i] = id
	}
	slices.Sort(t.Users)
	t.Users, t.Models = slices.Compact(t.Users), slices.Compact(t.Models)
	if len(t.Users) > maxMembers || len(t.Metadata) > maxMetadata {
		return badRequest("a team has at most %d users and %d metadata", maxMembers, maxMetadata)
	}
	if slices.Contains(t.Users, "") {
		return badRequest("users: must not be empty")
	}
	for i := range others {
		o := &others[i]
		if o.ID == t.ID {
			continue
		}
		if o.Name == t.Name {
			return problemf(http.StatusConflict, "name: there is a team %q already", t.Name)
		}
		for _, user := range t.Users {
			if slices.Contains(o.Users, user) {
				return problemf(http.StatusConflict, "users: %s is in team %s already; a user is in one team at most", user, o.Name)
			}
		}
	}
	return nil
}

func (s *Server) deleteTeam(ctx context.Context, in adminapi.TeamRemoval) (out adminapi.ChangedTeam, err error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return out, err
	}
	t, err := db.Team(ctx, in.ID)
	if err != nil {
		return out, err
	}
	table, err := db.KeyTable(ctx)
	if err != nil {
		return out, err
	}
	if err := db.DeleteTeam(lasting(ctx), t, in.Force, keyEntry(in.KeyChange, "team.delete", t.ID)); err != nil {
		return out, err
	}
	return adminapi.ChangedTeam{Team: showTeam(&t, table), Nodes: s.keyRollout(ctx, db, in.KeyChange)}, nil
}
