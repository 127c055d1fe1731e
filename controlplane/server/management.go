package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/keys"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/shared/wire"
)

// managementPath begins OpenRouter's management API.
const managementPath = "/api/v1/"

// managerKey is where a request's context has the id of its management key.
type managerKey struct{}

// bearer is the API key of a request, in either of the headers that nodes take.
func bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	if strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return strings.TrimSpace(h.Get("X-API-Key"))
}

// admitManager lets in who shows a management key.
func (s *Server) admitManager(r *http.Request) (*http.Request, error) {
	token := bearer(r.Header)
	if token == "" {
		return r, problemf(http.StatusUnauthorized, "No auth credentials found: this API takes a management key, which gatewayctl keys create --role management makes")
	}
	db, err := s.forKeys()
	if err != nil {
		return r, err
	}
	k, err := db.KeyByHash(r.Context(), keys.Hash(s.o.KeySecret, token))
	switch now := time.Now(); {
	case errors.Is(err, controlstate.ErrNotFound), err == nil && (k.Disabled || !k.Revoked.IsZero() || !k.Expires.IsZero() && !k.Expires.After(now)):
		return r, problemf(http.StatusUnauthorized, "The API key is not valid")
	case err != nil:
		return r, err
	case k.Role == "admin" && r.URL.Path == adminapi.GetCredits().Path: // nodes show it to administrators, too
	case k.Role != controlstate.RoleManagement:
		return r, problemf(http.StatusForbidden, "Only management keys may use this API: gatewayctl keys create --role management makes one")
	}
	return r.WithContext(context.WithValue(r.Context(), managerKey{}, k.ID)), nil
}

// managed returns the record of a change by a management key.
func managed(ctx context.Context, action, target string) controlstate.Entry {
	id, _ := ctx.Value(managerKey{}).(string)
	return controlstate.Entry{Author: id, Action: action, Target: target, Reason: "management API"}
}

func (s *Server) managedKeys(ctx context.Context, in adminapi.ManagedKeyPage) (adminapi.ManagedKeys, error) {
	var out adminapi.ManagedKeys
	db, err := s.o.Publisher.State()
	if err != nil {
		return out, err
	}
	spending, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.KeySpending, error) {
		return s.o.LogStore.Spending(ctx, time.Now())
	})
	if err != nil {
		return out, err
	}
	skip, after := in.Offset, ""
	for len(out.Data) < adminapi.ManagedPage {
		list, err := db.Keys(ctx, controlstate.MaxPage, after)
		if err != nil {
			return out, err
		}
		for i := range list {
			k := &list[i]
			after = k.ID
			if !k.Revoked.IsZero() || k.Role == controlstate.RoleManagement || k.Disabled && !in.IncludeDisabled {
				continue
			}
			if skip > 0 {
				skip--
				continue
			}
			if len(out.Data) < adminapi.ManagedPage {
				at := slices.IndexFunc(spending, func(s requestlog.KeySpending) bool { return s.Key == k.ID })
				spent := requestlog.KeySpending{}
				if at >= 0 {
					spent = spending[at]
				}
				out.Data = append(out.Data, managedForm(k, spent))
			}
		}
		if len(list) < controlstate.MaxPage {
			break
		}
	}
	return out, nil
}

// managedForm is a key in OpenRouter's form.
func managedForm(k *controlstate.Key, s requestlog.KeySpending) adminapi.ManagedKey {
	usd := func(text string) adminapi.USD { return adminapi.USD(cmp.Or(text, "0")) }
	out := adminapi.ManagedKey{
		Hash: k.Hash, Name: k.Name, Label: k.Prefix, Disabled: k.Disabled, IncludeBYOK: true, CreatedAt: k.Created, UpdatedAt: moment(k.Updated), ExpiresAt: moment(k.Expires),
		Usage: usd(s.Total), UsageDaily: usd(s.Day), UsageWeekly: usd(s.Week), UsageMonthly: usd(s.Month), BYOK: usd(""), BYOKDaily: usd(""), BYOKWeekly: usd(""), BYOKMonthly: usd(""),
		Creator: &k.User, WorkspaceID: "default",
	}
	i := slices.IndexFunc(k.Limits, isKeyBudget)
	if i < 0 {
		return out
	}
	total, day, week, month, err := (&requestlog.KeySpending{Total: cmp.Or(s.Total, "0"), Day: cmp.Or(s.Day, "0"), Week: cmp.Or(s.Week, "0"), Month: cmp.Or(s.Month, "0")}).Pico()
	if err != nil {
		return out // it is more than can be counted
	}
	l := k.Limits[i]
	spent := map[string]int64{wire.ResetTotal: total, wire.ResetDay: day, wire.ResetWeek: week, wire.ResetMonth: month}[l.Reset]
	limit, remaining := adminapi.USD(wire.FormatUSD(l.Value)), adminapi.USD(wire.FormatUSD(max(0, l.Value-spent)))
	out.Limit, out.LimitRemaining = &limit, &remaining
	if word := map[string]string{wire.ResetDay: "daily", wire.ResetWeek: "weekly", wire.ResetMonth: "monthly"}[l.Reset]; word != "" {
		out.LimitReset = &word
	}
	return out
}

// isKeyBudget finds the limit that OpenRouter's form has room for.
func isKeyBudget(l wire.Limit) bool {
	return l.Kind == wire.LimitBudget && l.Model == "" && l.Provider == ""
}

// theKey returns the key with that hash, which is not a management key.
func (s *Server) theKey(ctx context.Context, hash string) (*controlstate.State, controlstate.Key, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, controlstate.Key{}, err
	}
	k, err := db.KeyByHash(ctx, hash)
	if errors.Is(err, controlstate.ErrNotFound) || err == nil && (!k.Revoked.IsZero() || k.Role == controlstate.RoleManagement) {
		err = problemf(http.StatusNotFound, "no API key with that hash")
	}
	return db, k, err
}

func (s *Server) oneManagedKey(ctx context.Context, k *controlstate.Key) (adminapi.OneManagedKey, error) {
	spent, err := inTime(ctx, s, func(ctx context.Context) (requestlog.KeySpending, error) {
		return s.o.LogStore.SpendingOf(ctx, time.Now(), k.ID)
	})
	return adminapi.OneManagedKey{Data: managedForm(k, spent)}, err
}

func (s *Server) managedKey(ctx context.Context, in adminapi.ByHash) (adminapi.OneManagedKey, error) {
	_, k, err := s.theKey(ctx, in.Hash)
	if err != nil {
		return adminapi.OneManagedKey{}, err
	}
	return s.oneManagedKey(ctx, &k)
}

func (s *Server) createManagedKey(ctx context.Context, in adminapi.ManagedKeySpec) (adminapi.NewManagedKey, error) {
	var none adminapi.NewManagedKey
	spec, err := keys.Spec{Name: in.Name, User: or(in.Creator, ""), Expires: or(in.ExpiresAt, "")}.Check(time.Now(), nil)
	if err != nil {
		return none, badRequest("%s", err)
	}
	limits, err := keyBudget(nil, in.Limit, or(in.LimitReset, ""))
	if err != nil {
		return none, err
	}
	db, err := s.forKeys()
	if err != nil {
		return none, err
	}
	fresh := keys.Generate(s.o.KeySecret)
	k := controlstate.Key{
		ID: keys.NewID(), Hash: fresh.Hash, Prefix: fresh.Prefix, Name: spec.Name, User: spec.User, Role: spec.Role, Limits: limits,
		Created: time.Now().UTC().Truncate(time.Second), Expires: spec.Expires,
	}
	if err := db.CreateKey(lasting(ctx), k, managed(ctx, "key.create", k.ID)); err != nil {
		return none, err
	}
	s.keyRollout(ctx, db, adminapi.KeyChange{})
	return adminapi.NewManagedKey{OneManagedKey: adminapi.OneManagedKey{Data: managedForm(&k, requestlog.KeySpending{})}, Key: fresh.Plaintext.Reveal()}, nil
}

// keyBudget changes the budget of OpenRouter's form among limits, others stay;
// nil removes it.
func keyBudget(limits []wire.Limit, usd *float64, reset string) ([]wire.Limit, error) {
	period, known := map[string]string{"": wire.ResetTotal, "daily": wire.ResetDay, "weekly": wire.ResetWeek, "monthly": wire.ResetMonth}[reset]
	if !known {
		return nil, badRequest("limit_reset must be daily, weekly, monthly or null, got %q", reset)
	}
	limits = slices.Clone(limits)
	at := slices.IndexFunc(limits, isKeyBudget)
	switch {
	case usd == nil && at >= 0:
		return slices.Delete(limits, at, at+1), nil
	case usd == nil:
		return limits, nil
	case at < 0:
		at = len(limits)
		limits = append(limits, wire.Limit{Kind: wire.LimitBudget})
	}
	l := &limits[at]
	l.Reset = period
	var err error
	if l.Value, err = wire.ParseLimitValue(l.Kind, strconv.FormatFloat(*usd, 'f', -1, 64)); err != nil {
		return nil, badRequest("limit must be an amount in USD from 0, got %v", *usd)
	}
	if err := wire.CheckLimits(limits); err != nil {
		return nil, badRequest("limit: %s", err)
	}
	return limits, nil
}

func (s *Server) updateManagedKey(ctx context.Context, in adminapi.ManagedKeyPatch) (adminapi.OneManagedKey, error) {
	var none adminapi.OneManagedKey
	db, k, err := s.theKey(ctx, in.Hash)
	if err != nil {
		return none, err
	}
	was := k
	k.Disabled = or(in.Disabled, k.Disabled)
	if k.Name = strings.TrimSpace(or(in.Name, k.Name)); k.Name == "" {
		return none, badRequest("name must not be empty")
	}
	if len(in.Limit) > 0 || len(in.LimitReset) > 0 {
		now := managedForm(&k, requestlog.KeySpending{})
		var usd *float64
		var reset *string
		limit, period := in.Limit, in.LimitReset
		if len(limit) == 0 && now.Limit != nil {
			limit = *now.Limit
		}
		if len(limit) > 0 && json.Unmarshal(limit, &usd) != nil {
			return none, badRequest("limit must be an amount in USD or null")
		}
		if len(period) > 0 && json.Unmarshal(period, &reset) != nil {
			return none, badRequest("limit_reset must be daily, weekly, monthly or null")
		}
		if len(period) == 0 {
			reset = now.LimitReset
		}
		if k.Limits, err = keyBudget(k.Limits, usd, or(reset, "")); err != nil {
			return none, err
		}
	}
	if err := db.UpdateKey(lasting(ctx), was, k, managed(ctx, "key.update", k.ID)); err != nil {
		return none, err
	}
	s.keyRollout(ctx, db, adminapi.KeyChange{})
	if k, err = db.Key(ctx, k.ID); err != nil {
		return none, err
	}
	return s.oneManagedKey(ctx, &k)
}

func (s *Server) deleteManagedKey(ctx context.Context, in adminapi.ByHash) (adminapi.Deleted, error) {
	db, k, err := s.theKey(ctx, in.Hash)
	if err != nil {
		return adminapi.Deleted{}, err
	}
	if _, err := db.RevokeKey(lasting(ctx), k.ID, managed(ctx, "key.revoke", k.ID)); err != nil {
		return adminapi.Deleted{}, err
	}
	s.keyRollout(ctx, db, adminapi.KeyChange{})
	return adminapi.Deleted{Deleted: true}, nil
}

// activityDays is how far back activity goes.
const activityDays = 30

func (s *Server) activity(ctx context.Context, in adminapi.ActivityQuery) (adminapi.Activities, error) {
	var out adminapi.Activities
	until := time.Now().UTC().Truncate(24 * time.Hour)
	since := until.AddDate(0, 0, -activityDays)
	if in.Date != "" {
		day, err := time.Parse(time.DateOnly, in.Date)
		if err != nil || day.Before(since) || !day.Before(until) {
			return out, badRequest("date must be one of the last %d complete days in UTC, from %s to %s, got %q", activityDays,
				since.Format(time.DateOnly), until.AddDate(0, 0, -1).Format(time.DateOnly), in.Date)
		}
		since, until = day, day.AddDate(0, 0, 1)
	}
	q := requestlog.ReportQuery{Since: since, Until: until, By: []string{"day", "model", "endpoint"}, Filters: requestlog.Names{User: in.User}}
	if in.APIKey != "" {
		_, k, err := s.theKey(ctx, in.APIKey)
		if err != nil {
			return out, err
		}
		q.Filters.Key = k.ID
	}
	rows, err := inTime(ctx, s, func(ctx context.Context) ([]requestlog.ReportRow, error) { return s.o.LogStore.Report(ctx, q) })
	if err != nil {
		return out, err
	}
	providers := s.providers()
	for i := range rows {
		r := &rows[i]
		out.Data = append(out.Data, adminapi.Activity{
			Date: r.Period, Model: r.Model, Permaslug: r.Model, EndpointID: r.Endpoint, ProviderName: providers[r.Endpoint], Usage: adminapi.USD(cmp.Or(r.CostUSD, "0")), BYOKUsage: adminapi.USD("0"),
			Requests: r.RequestCount, PromptTokens: r.PromptTokens, CompletionTokens: r.CompletionTokens, ReasoningTokens: r.ReasoningTokens,
		})
	}
	return out, nil
}

// providers are the providers' names by endpoint.
func (s *Server) providers() map[string]string {
	out := map[string]string{}
	if current := s.o.Publisher.Current(); current != nil {
		for i := range current.Snapshot.Models {
			for j := range current.Snapshot.Models[i].Endpoints {
				e := &current.Snapshot.Models[i].Endpoints[j]
				out[e.ID] = e.Provider
			}
		}
	}
	return out
}

func (s *Server) credits(ctx context.Context, _ adminapi.None) (adminapi.Credits, error) {
	spent, err := inTime(ctx, s, func(ctx context.Context) (requestlog.KeySpending, error) {
		return s.o.LogStore.SpendingOf(ctx, time.Now(), "")
	})
	return adminapi.Credits{Data: adminapi.CreditTotals{Total: adminapi.USD("0"), Usage: adminapi.USD(cmp.Or(spent.Total, "0"))}}, err
}
