package wire

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// What a limit bounds.
const (
	LimitRPM         = "rpm"         // requests in any 60 seconds
	LimitRPD         = "rpd"         // requests per calendar day in UTC
	LimitTPM         = "tpm"         // prompt and completion tokens in any 60 seconds
	LimitTPD         = "tpd"         // prompt and completion tokens per calendar day in UTC
	LimitConcurrency = "concurrency" // requests in flight
	LimitBudget      = "budget"      // cost per Reset
)

// When a budget starts again, always at 00:00 UTC. Weeks begin on Monday.
const (
	ResetDay   = "day"
	ResetWeek  = "week"
	ResetMonth = "month"
	ResetTotal = "total" // never
)

// What a node does once its share is used up while no daemon grants another.
const (
	OutageClosed = "closed" // refuse
	OutageOpen   = "open"   // admit
	OutageShare  = "share"  // admit as much in each window as its last share
)

// LimitKinds are the kinds of limits in the order in which they are listed.
func LimitKinds() []string {
	return []string{LimitRPM, LimitRPD, LimitTPM, LimitTPD, LimitConcurrency, LimitBudget}
}

// LimitResets are the values of Limit.Reset.
func LimitResets() []string { return []string{ResetDay, ResetWeek, ResetMonth, ResetTotal} }

// LimitOutages are the values of Limit.OnOutage.
func LimitOutages() []string { return []string{OutageClosed, OutageOpen, OutageShare} }

// Limit is one upper bound on what its holder may use: a key, a user, a team,
// or the gateway.
type Limit struct {
	Kind string `json:"kind" enum:"rpm,rpd,tpm,tpd,concurrency,budget"`
	// Value is in requests, tokens or requests in flight; that of a budget in
	// pico-dollars (1e-12 USD).
	Value int64 `json:"value"`
	// Reset is a budget's period, "" for all other kinds.
	Reset string `json:"reset,omitempty"`
	// Model is the id of the only model to which the limit applies, Provider the
	// slug of the only provider; "" is all. At most one of them is set.
	Model    string `json:"model,omitempty"`
	Provider string `json:"provider,omitempty"`
	// OnOutage is one of the Outage constants, "" for the kind's default.
	OnOutage string `json:"on_outage,omitempty"`
}

// MaxLimits bounds how many limits one holder has.
const MaxLimits = 100

// upper bounds of Limit.Value: far above what is meant, far below an overflow.
const (
	maxLimitCount  = 1_000_000_000_000_000
	maxLimitBudget = 9_000_000_000_000_000_000
)

// Outage is what OnOutage or the kind's default says: budgets are closed, all
// others share.
func (l *Limit) Outage() string {
	if l.Kind == LimitBudget {
		return cmp.Or(l.OnOutage, OutageClosed)
	}
	return cmp.Or(l.OnOutage, OutageShare)
}

// Same reports whether two limits of one holder bound the same, so that one of
// them replaces the other.
func (l *Limit) Same(other *Limit) bool {
	return l.Kind == other.Kind && l.Reset == other.Reset && l.Model == other.Model && l.Provider == other.Provider
}

// Check returns everything that is wrong with the limit; each line begins with
// the field.
func (l *Limit) Check() error {
	if !slices.Contains(LimitKinds(), l.Kind) {
		return fmt.Errorf("kind: must be one of %s, got %q", strings.Join(LimitKinds(), ", "), l.Kind)
	}
	return errors.Join(l.checkValue(), l.checkReset(), l.checkScope(), l.checkOutage())
}

func (l *Limit) checkValue() error {
	switch {
	case l.Kind == LimitBudget && l.Value < 0:
		return fmt.Errorf("%s: must not be negative", l.Kind)
	case l.Kind == LimitBudget && l.Value > maxLimitBudget:
		return fmt.Errorf("%s: must be at most $9000000", l.Kind)
	case l.Kind != LimitBudget && l.Value < 1:
		return fmt.Errorf("%s: must be positive, got %d", l.Kind, l.Value)
	case l.Kind != LimitBudget && l.Value > maxLimitCount:
		return fmt.Errorf("%s: must be at most %d, got %d", l.Kind, int64(maxLimitCount), l.Value)
	}
	return nil
}

func (l *Limit) checkReset() error {
	switch {
	case l.Kind != LimitBudget && l.Reset != "":
		return fmt.Errorf("reset: only a budget has one, not %s", l.Kind)
	case l.Kind == LimitBudget && l.Reset == "":
		return fmt.Errorf("reset: is required with a budget: one of %s", strings.Join(LimitResets(), ", "))
	case l.Kind == LimitBudget && !slices.Contains(LimitResets(), l.Reset):
		return fmt.Errorf("reset: must be one of %s, got %q", strings.Join(LimitResets(), ", "), l.Reset)
	}
	return nil
}

func (l *Limit) checkScope() error {
	if l.Model != "" && l.Provider != "" {
		return errors.New("model, provider: are mutually exclusive")
	}
	for field, value := range map[string]string{"model": l.Model, "provider": l.Provider} {
		if len(value) > 200 || strings.ContainsFunc(value, unicode.IsControl) {
			return fmt.Errorf("%s: must have at most 200 bytes and no control characters", field)
		}
	}
	return nil
}

func (l *Limit) checkOutage() error {
	if l.OnOutage != "" && !slices.Contains(LimitOutages(), l.OnOutage) {
		return fmt.Errorf("on_outage: must be one of %s, got %q", strings.Join(LimitOutages(), ", "), l.OnOutage)
	}
	return nil
}

// CheckLimits checks the limits of one holder.
func CheckLimits(list []Limit) error {
	if len(list) > MaxLimits {
		return fmt.Errorf("limits: at most %d, got %d", MaxLimits, len(list))
	}
	var errs []error
	for i := range list {
		errs = append(errs, list[i].Check())
		if slices.ContainsFunc(list[:i], func(before Limit) bool { return before.Same(&list[i]) }) {
			errs = append(errs, fmt.Errorf("limits: %s is given twice", list[i].Name()))
		}
	}
	return errors.Join(errs...)
}

// Name tells the limit from others of its holder, such as "rpm" or "budget per
// month for model demo".
func (l *Limit) Name() string {
	name := l.Kind
	switch l.Reset {
	case "":
	case ResetTotal:
		name += " in total"
	default:
		name += " per " + l.Reset
	}
	if l.Model != "" {
		name += " for model " + l.Model
	}
	if l.Provider != "" {
		name += " for provider " + l.Provider
	}
	return name
}
