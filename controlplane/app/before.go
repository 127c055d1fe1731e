package app

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/server"
	"github.com/hybridinference/gateway/shared/wire"
)

// spentBefore is what a limit's holder has used in the current period by the
// request log.
func (a *App) spentBefore(ctx context.Context, d *limits.Definition) (int64, error) {
	if a.o.LogStore == nil {
		return 0, nil
	}
	return spentOf(ctx, a.o.LogStore, a.publisher.KeyTable(), d)
}

// spentOf is that use in pico-dollars of a budget, in tokens else.
func spentOf(ctx context.Context, log server.LogStore, table *wire.KeyTable, d *limits.Definition) (sum int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, spendingTime)
	defer cancel()
	q := requestlog.ReportQuery{Since: periodStart(time.Now().UTC(), d.Reset), By: []string{"key", "provider"}, Filters: requestlog.Names{Model: d.Model}}
	switch d.Holder {
	case wire.HolderKey:
		q.Filters.Key = d.ID
	case wire.HolderUser:
		q.Filters.User = d.ID
	}
	rows, err := log.Report(ctx, q)
	if err != nil {
		return 0, err
	}
	var members map[string]bool
	if d.Holder == wire.HolderTeam {
		members = membersOf(table, d.ID)
	}
	for i := range rows {
		r := &rows[i]
		if members != nil && !members[r.Key] || d.Provider != "" && wire.Slug(r.Provider) != d.Provider {
			continue
		}
		used := r.PromptTokens + r.CompletionTokens
		if d.Kind == wire.LimitBudget {
			if used, err = wire.ParseLimitValue(wire.LimitBudget, strings.TrimPrefix(r.CostUSD, "-")); err != nil {
				return 0, fmt.Errorf("cost in the request log: %w", err)
			}
		}
		sum += used
	}
	return sum, nil
}

// periodStart is when the calendar period began that a time in UTC is in, the
// zero time for a limit that never starts again.
func periodStart(now time.Time, reset string) time.Time {
	day := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	switch reset {
	case wire.ResetTotal:
		return time.Time{}
	case wire.ResetWeek:
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
	case wire.ResetMonth:
		return day.AddDate(0, 0, 1-day.Day())
	default:
		return day
	}
}

// membersOf are the ids of the keys that are in a team.
func membersOf(t *wire.KeyTable, team string) map[string]bool {
	members := map[string]bool{}
	for i := range t.Keys {
		if t.Keys[i].Team == team {
			members[t.Keys[i].ID] = true
		}
	}
	return members
}

func (a *App) leasesGranted(ctx context.Context) (bool, error) {
	state, err := a.publisher.State()
	if err != nil {
		return false, err
	}
	return state.LeasesGranted(ctx)
}

func (a *App) noteLeasesGranted(ctx context.Context) error {
	state, err := a.publisher.State()
	if err != nil {
		return err
	}
	return state.NoteLeasesGranted(ctx)
}
