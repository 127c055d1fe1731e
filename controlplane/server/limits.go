package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/controlstate"
	"github.com/hybridinference/gateway/controlplane/limits"
	"github.com/hybridinference/gateway/controlplane/publish"
	"github.com/hybridinference/gateway/shared/wire"
)

// holder is who has limits: a key, a user, a team, an endpoint, or the gateway;
// of a model it is the gateway with that model. Of a key, key is it.
type holder struct {
	kind, id, name, model string
	key                   *wire.Key
}

// heldLimit is a limit with who holds it, and that holder's name.
type heldLimit struct {
	limits.Definition
	name string
}

func (s *Server) limits(ctx context.Context, in adminapi.LimitQuery) ([]adminapi.HeldLimit, error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return nil, err
	}
	table, err := db.KeyTable(ctx)
	if err != nil {
		return nil, err
	}
	if in.Of == "" {
		return s.addStates(ctx, append(heldLimits(table), s.endpointLimits("")...), false), nil
	}
	h, err := s.holder(ctx, db, table, in.Of)
	if err != nil {
		return nil, err
	}
	all := append(heldLimits(table), s.endpointLimits(h.model)...)
	if h.key != nil && !slices.ContainsFunc(table.Keys, func(k wire.Key) bool { return k.ID == h.id }) {
		all = append(all, held(h, h.key.Limits)...) // it is disabled or has expired
	}
	return s.addStates(ctx, slices.DeleteFunc(all, func(l heldLimit) bool { return !h.concerns(&l) }), true), nil
}

// concerns reports whether a limit is the holder's, or applies to the key that
// the holder is.
func (h holder) concerns(l *heldLimit) bool {
	switch {
	case h.model != "":
		return l.Model == h.model || l.Holder == adminapi.HolderEndpoint
	case l.Holder == h.kind && l.ID == h.id:
		return true
	case h.key == nil:
		return false
	}
	return l.Holder == adminapi.HolderGateway || l.Holder == adminapi.HolderUser && l.ID == h.key.User || l.Holder == adminapi.HolderTeam && l.ID == h.key.Team
}

// heldLimits lists all limits: of the gateway, teams, users, keys.
func heldLimits(table *wire.KeyTable) []heldLimit {
	list := held(holder{kind: adminapi.HolderGateway}, table.Gateway)
	for i := range table.Teams {
		t := &table.Teams[i]
		list = append(list, held(holder{kind: adminapi.HolderTeam, id: t.ID, name: t.Name}, t.Limits)...)
	}
	for _, user := range slices.Sorted(maps.Keys(table.Users)) {
		list = append(list, held(holder{kind: adminapi.HolderUser, id: user}, table.Users[user])...)
	}
	for i := range table.Keys {
		k := &table.Keys[i]
		list = append(list, held(holder{kind: adminapi.HolderKey, id: k.ID, name: k.Name}, k.Limits)...)
	}
	return list
}

// endpointLimits lists the limits of the endpoints of a model, or of all.
func (s *Server) endpointLimits(model string) (list []heldLimit) {
	current := s.o.Publisher.Current()
	if current == nil {
		return nil
	}
	for i := range current.Snapshot.Models {
		m := &current.Snapshot.Models[i]
		for j := range m.Endpoints {
			if e := &m.Endpoints[j]; model == "" || m.ID == model {
				list = append(list, held(holder{kind: adminapi.HolderEndpoint, id: e.ID, name: e.Provider}, e.Limits())...)
			}
		}
	}
	return list
}

func (s *Server) hasEndpoint(id string) bool {
	return slices.ContainsFunc(s.endpointLimits(""), func(l heldLimit) bool { return l.ID == id })
}

func held(h holder, list []wire.Limit) (out []heldLimit) {
	for _, l := range list {
		out = append(out, heldLimit{limits.Definition{Limit: l, Holder: h.kind, ID: h.id}, h.name})
	}
	return out
}

func showLimits(list []wire.Limit) []adminapi.Limit {
	var out []adminapi.Limit
	for _, l := range list {
		value := strings.TrimPrefix(wire.FormatLimitValue(l.Kind, l.Value), "$")
		out = append(out, adminapi.Limit{Kind: l.Kind, Value: value, Reset: l.Reset, Model: l.Model, Provider: l.Provider, OnOutage: l.OnOutage})
	}
	return out
}

// holder finds out who is meant by key:ID, user:NAME, team:NAME, model:ID,
// endpoint:ID, gateway, or a name alone.
func (s *Server) holder(ctx context.Context, db *controlstate.State, table *wire.KeyTable, of string) (holder, error) {
	if of == "" || of == adminapi.HolderGateway {
		return holder{kind: adminapi.HolderGateway}, nil
	}
	kind, name, prefixed := strings.Cut(of, ":")
	if !prefixed || !slices.Contains([]string{"key", "user", "team", "model", "endpoint"}, kind) {
		kind, name = "", of
	}
	var found []holder
	add := func(what string, there bool, h holder) {
		if there && (kind == "" || kind == what) {
			found = append(found, h)
		}
	}
	key, err := findKey(ctx, db, table, name)
	if err != nil {
		return holder{}, err
	}
	if key != nil {
		add("key", true, holder{kind: adminapi.HolderKey, id: key.ID, name: key.Name, key: key})
	}
	for i := range table.Teams {
		t := &table.Teams[i]
		add("team", t.ID == name || t.Name == name, holder{kind: adminapi.HolderTeam, id: t.ID, name: t.Name})
	}
	add("user", kind == "user" && name != "" || s.hasUser(table, name), holder{kind: adminapi.HolderUser, id: name})
	model := s.modelID(name)
	add("model", model != "", holder{kind: adminapi.HolderGateway, model: model})
	add("endpoint", s.hasEndpoint(name), holder{kind: adminapi.HolderEndpoint, id: name})
	switch {
	case len(found) == 0:
		return holder{}, problemf(http.StatusNotFound, "key, user, team, model, or endpoint with limits %q not found", of)
	case len(found) > 1:
		return holder{}, problemf(http.StatusConflict, "%q is the name of more than one thing: write key:, user:, team:, model: or endpoint: in front of it", of)
	}
	return found[0], nil
}

// findKey returns the key with that id, also one that nodes do not have since it
// is disabled or has expired, nil if there is none.
func findKey(ctx context.Context, db *controlstate.State, table *wire.KeyTable, id string) (*wire.Key, error) {
	if i := slices.IndexFunc(table.Keys, func(k wire.Key) bool { return k.ID == id }); i >= 0 {
		return &table.Keys[i], nil
	}
	k, err := db.Key(ctx, id)
	if errors.Is(err, controlstate.ErrNotFound) || err == nil && !k.Revoked.IsZero() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := &wire.Key{ID: k.ID, Name: k.Name, User: k.User, Team: k.Team, Limits: k.Limits}
	if k.Team == "" {
		teams, err := db.Teams(ctx)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(teams, func(t controlstate.Team) bool { return slices.Contains(t.Users, k.User) }); i >= 0 {
			out.Team = teams[i].ID
		}
	}
	return out, nil
}

func (s *Server) hasUser(table *wire.KeyTable, name string) bool {
	return table.Users[name] != nil || slices.ContainsFunc(table.Keys, func(k wire.Key) bool { return k.User == name })
}

// modelID returns the id of the model with that id or alias, "" if there is none.
func (s *Server) modelID(name string) string {
	current := s.o.Publisher.Current()
	if current == nil {
		return ""
	}
	m, err := publish.FindModel(&current.Snapshot, name)
	if err != nil {
		return ""
	}
	return m.ID
}

// providerSlug is how limits name a provider, as nodes do.
func providerSlug(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "-")
}

// provider returns how nodes name the provider with that name, or with that kind
// if all endpoints of the kind have one provider.
func (s *Server) provider(name string) (string, error) {
	wanted := providerSlug(name)
	var all, ofKind []string
	if current := s.o.Publisher.Current(); current != nil {
		for i := range current.Snapshot.Models {
			for j := range current.Snapshot.Models[i].Endpoints {
				e := &current.Snapshot.Models[i].Endpoints[j]
				all = append(all, providerSlug(e.Provider))
				if providerSlug(e.Kind) == wanted {
					ofKind = append(ofKind, providerSlug(e.Provider))
				}
			}
		}
	}
	slices.Sort(all)
	slices.Sort(ofKind)
	all, ofKind = slices.Compact(all), slices.Compact(ofKind)
	switch {
	case slices.Contains(all, wanted):
		return wanted, nil
	case len(ofKind) == 1:
		return ofKind[0], nil
	}
	return "", fmt.Errorf("provider: provider %q not found; available: %s", name, strings.Join(all, ", "))
}

// mergeLimits returns limits with changes made to them. model, unless it is
// "", is that of every change.
func (s *Server) mergeLimits(have []wire.Limit, changes []adminapi.Limit, model string) ([]wire.Limit, error) {
	list := slices.Clone(have)
	for i, c := range changes {
		l, remove, err := s.limit(c, model)
		if err != nil {
			return nil, badRequest("limits[%d].%s", i, err)
		}
		if remove {
			list = slices.DeleteFunc(list, func(h wire.Limit) bool {
				return h.Kind == l.Kind && h.Model == l.Model && h.Provider == l.Provider && (l.Reset == "" || h.Reset == l.Reset)
			})
			continue
		}
		if at := slices.IndexFunc(list, func(h wire.Limit) bool { return h.Same(&l) }); at >= 0 {
			list[at] = l
		} else {
			list = append(list, l)
		}
	}
	if err := wire.CheckLimits(list); err != nil {
		return nil, badRequest("%s", err)
	}
	return list, nil
}

// limit reads one change; remove is that of a value none.
func (s *Server) limit(c adminapi.Limit, model string) (l wire.Limit, remove bool, err error) {
	l = wire.Limit{Kind: c.Kind, Reset: c.Reset, Model: c.Model, Provider: providerSlug(c.Provider), OnOutage: c.OnOutage}
	if !slices.Contains(wire.LimitKinds(), l.Kind) {
		return l, false, fmt.Errorf("kind: must be one of %s, got %q", strings.Join(wire.LimitKinds(), ", "), l.Kind)
	}
	if model != "" && l.Model != "" && s.modelID(l.Model) != model {
		return l, false, fmt.Errorf("model: is %s already", model)
	}
	if model != "" {
		l.Model = model
	}
	if l.Model != "" {
		id := s.modelID(l.Model)
		if id == "" {
			return l, false, fmt.Errorf("model: model %q not found; available: %s", l.Model, strings.Join(s.modelIDs(), ", "))
		}
		l.Model = id
	}
	if l.Provider != "" {
		switch slug, err := s.provider(c.Provider); {
		case err == nil:
			l.Provider = slug
		case c.Value != "none": // else it is that of a provider that is no more
			return l, false, err
		}
	}
	if l.Reset != "" {
		if l.Reset, err = wire.ParseReset(l.Reset); err != nil {
			return l, false, err
		}
	}
	if c.Value == "none" {
		return l, true, nil
	}
	if l.Value, err = wire.ParseLimitValue(l.Kind, c.Value); err != nil {
		return l, false, err
	}
	return l, false, l.Check()
}

func (s *Server) setLimits(ctx context.Context, in adminapi.LimitChange) (adminapi.ChangedLimits, error) {
	if len(in.Limits) == 0 {
		return adminapi.ChangedLimits{}, badRequest("limits must not be empty")
	}
	return s.changeLimits(ctx, in.KeyChange, in.Of, "limits.set", func(have []wire.Limit, model string) ([]wire.Limit, error) {
		return s.mergeLimits(have, in.Limits, model)
	})
}

func (s *Server) clearLimits(ctx context.Context, in adminapi.LimitRemoval) (adminapi.ChangedLimits, error) {
	if in.Kind != "" && !slices.Contains(wire.LimitKinds(), in.Kind) {
		return adminapi.ChangedLimits{}, badRequest("kind must be one of %s, got %q", strings.Join(wire.LimitKinds(), ", "), in.Kind)
	}
	only, provider := in.Model, providerSlug(in.Provider)
	if id := s.modelID(only); id != "" {
		only = id // else it is that of a model that is no more
	}
	if slug, err := s.provider(in.Provider); err == nil {
		provider = slug // likewise
	}
	return s.changeLimits(ctx, in.KeyChange, in.Of, "limits.clear", func(have []wire.Limit, model string) ([]wire.Limit, error) {
		model = cmp.Or(model, only)
		left := slices.DeleteFunc(slices.Clone(have), func(l wire.Limit) bool {
			return (in.Kind == "" || l.Kind == in.Kind) && (model == "" || l.Model == model) && (provider == "" || l.Provider == provider)
		})
		if len(left) == len(have) && in != (adminapi.LimitRemoval{KeyChange: in.KeyChange, Of: in.Of}) {
			return nil, problemf(http.StatusNotFound, "there is no such limit: nothing was removed")
		}
		return left, nil
	})
}

// changeLimits changes the limits of whoever is meant.
func (s *Server) changeLimits(ctx context.Context, in adminapi.KeyChange, of, action string, change func(have []wire.Limit, model string) ([]wire.Limit, error)) (out adminapi.ChangedLimits, err error) {
	db, err := s.o.Publisher.State()
	if err != nil {
		return out, err
	}
	table, err := db.KeyTable(ctx)
	if err != nil {
		return out, err
	}
	h, err := s.holder(ctx, db, table, of)
	if err != nil {
		return out, err
	}
	if h.kind == adminapi.HolderEndpoint {
		return out, badRequest("of: the limits of an endpoint are rpm and tpm of its route in models.yaml: change them there, and apply the file")
	}
	list, err := storeLimits(lasting(ctx), db, h, keyEntry(in, action, strings.TrimSuffix(h.kind+":"+h.id, ":")), change)
	if err != nil {
		return out, err
	}
	nodes := s.keyRollout(ctx, db, in)
	return adminapi.ChangedLimits{Limits: s.addStates(ctx, held(h, list), false), Nodes: nodes}, nil
}

func storeLimits(ctx context.Context, db *controlstate.State, h holder, audit controlstate.Entry, change func(have []wire.Limit, model string) ([]wire.Limit, error)) (limits []wire.Limit, err error) {
	switch h.kind {
	case adminapi.HolderKey:
		k, err := db.Key(ctx, h.id)
		if err != nil {
			return nil, err
		}
		was := k
		if k.Limits, err = change(k.Limits, ""); err != nil {
			return nil, err
		}
		audit.Detail = limitDetail(k.Limits)
		return k.Limits, db.UpdateKey(ctx, was, k, audit)
	case adminapi.HolderTeam:
		t, err := db.Team(ctx, h.id)
		if err != nil {
			return nil, err
		}
		if t.Limits, err = change(t.Limits, ""); err != nil {
			return nil, err
		}
		audit.Detail = limitDetail(t.Limits)
		return t.Limits, db.UpdateTeam(ctx, t, audit)
	}
	name := controlstate.HolderGateway
	if h.kind == adminapi.HolderUser {
		name = controlstate.HolderUser(h.id)
	}
	was, err := db.LimitsOf(ctx, name)
	if err != nil {
		return nil, err
	}
	if limits, err = change(was, h.model); err != nil {
		return nil, err
	}
	audit.Detail = limitDetail(limits)
	return limits, db.SetLimits(ctx, name, was, limits, audit)
}

// limitDetail is what the audit log says of limits after a change.
func limitDetail(limits []wire.Limit) string {
	text, err := json.Marshal(map[string]any{"limits": append([]adminapi.Limit{}, showLimits(limits)...)})
	if err != nil {
		return "" // it cannot fail: there are only texts
	}
	return string(text)
}
