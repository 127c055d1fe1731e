package server

import (
	"context"
	"slices"

	"github.com/hybridinference/gateway/controlplane/controlstate"
)

// teamFilter returns the id of the team with that id or name. The request log
// also has teams that were deleted since, by their ids.
func (s *Server) teamFilter(ctx context.Context, team string) string {
	if team == "" {
		return ""
	}
	if db, err := s.o.Publisher.State(); err == nil {
		if t, err := db.Team(ctx, team); err == nil {
			return t.ID
		}
	}
	return team
}

// usageNames are the current names of keys and teams by their ids, if a report
// is by them. Without the database there are none: the ids say enough.
func (s *Server) usageNames(ctx context.Context, by []string) map[string]string {
	names := map[string]string{}
	db, err := s.o.Publisher.State()
	if err != nil {
		return names
	}
	if slices.Contains(by, "team") {
		teams, err := db.Teams(ctx)
		if err != nil {
			return names
		}
		for i := range teams {
			names[teams[i].ID] = teams[i].Name
		}
	}
	if !slices.Contains(by, "key") {
		return names
	}
	for after := ""; ; {
		list, err := db.Keys(ctx, controlstate.MaxPage, after)
		if err != nil {
			return names
		}
		for i := range list {
			names[list[i].ID], after = list[i].Name, list[i].ID
		}
		if len(list) < controlstate.MaxPage {
			return names
		}
	}
}
