package server

import (
	"context"
	"slices"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/requestlog"
)

// filtersOf returns the filters of a query, in which a team may have its id or
// its name. The request log also has teams that were deleted since, by their ids.
func (s *Server) filtersOf(ctx context.Context, in adminapi.Filters) requestlog.Names {
	names := requestlog.Names(in)
	if names.Team == "" {
		return names
	}
	if db, err := s.o.Publisher.State(); err == nil {
		if t, err := db.Team(ctx, names.Team); err == nil {
			names.Team = t.ID
		}
	}
	return names
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
