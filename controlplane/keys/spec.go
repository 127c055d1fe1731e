package keys

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Spec is what an operator asks of a key.
type Spec struct {
	// Name identifies the key for people. Required.
	Name string
	// User is whom the usage is counted for, Name if empty.
	User string
	// Role is free (if empty), pro, internal or admin.
	Role string
	// Models are the ids of the only models allowed; none means all that the
	// role may use.
	Models []string
	// Expires is a moment as RFC 3339, or a span from now such as 720h or 30d;
	// empty is never.
	Expires string
}

// Roles are all roles, from the least to the most powerful, and management: that
// of keys for the management API, which nodes do not accept.
func Roles() []string { return []string{"free", "pro", "internal", "admin", "management"} }

const maxText = 200

// Checked is a Spec with its defaults filled in and its moment worked out.
type Checked struct {
	Name, User, Role string
	Models           []string
	// Expires is zero for never.
	Expires time.Time
}

// Check returns the key that a Spec describes, or everything that is wrong
// with it. models are the ids that there are.
func (s Spec) Check(now time.Time, models []string) (Checked, error) {
	c := Checked{Name: strings.TrimSpace(s.Name), User: strings.TrimSpace(s.User), Role: s.Role}
	if c.User == "" {
		c.User = c.Name
	}
	if c.Role == "" {
		c.Role = Roles()[0]
	}
	var errs []error
	if c.Name == "" {
		errs = append(errs, errors.New("name: is required, such as the program or person that uses the key"))
	}
	errs = append(errs, checkText("name", c.Name), checkText("user", c.User))
	if !slices.Contains(Roles(), c.Role) {
		errs = append(errs, fmt.Errorf("role: must be one of %s, got %q", strings.Join(Roles(), ", "), c.Role))
	}
	var err error
	c.Models, err = checkModels(s.Models, models)
	errs = append(errs, err)
	c.Expires, err = ParseExpiry(s.Expires, now)
	errs = append(errs, err)
	return c, errors.Join(errs...)
}

func checkText(field, text string) error {
	if len(text) > maxText {
		return fmt.Errorf("%s: must have at most %d bytes, got %d", field, maxText, len(text))
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("%s: must not contain control characters", field)
	}
	return nil
}

func checkModels(asked, exist []string) ([]string, error) {
	var out []string
	var errs []error
	for _, id := range asked {
		if id = strings.TrimSpace(id); id == "" {
			continue
		}
		if !slices.Contains(exist, id) {
			errs = append(errs, fmt.Errorf("models: model %q not found; available: %s", id, strings.Join(exist, ", ")))
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out, errors.Join(errs...)
}

// ParseExpiry reads Spec.Expires; zero is never.
func ParseExpiry(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" || text == "never" {
		return time.Time{}, nil
	}
	at, ok := parseMoment(text, now)
	switch {
	case !ok:
		return time.Time{}, fmt.Errorf("expires: must be a time such as 2027-01-31T00:00:00Z or a duration such as 720h or 30d, got %q", text)
	case !at.After(now):
		return time.Time{}, fmt.Errorf("expires: %s is not in the future", text)
	case at.Year() > 9999:
		return time.Time{}, fmt.Errorf("expires: %s is too far in the future; omit it for a key that does not expire", text)
	}
	return at.UTC().Truncate(time.Second), nil
}

// ParseSpan reads a duration such as 24h or 30d.
func ParseSpan(text string, now time.Time) (time.Duration, error) {
	at, ok := parseMoment(text, now)
	if _, err := time.Parse(time.RFC3339, text); !ok || err == nil {
		return 0, fmt.Errorf("must be a duration such as 24h or 30d, got %q", text)
	}
	return at.Sub(now), nil
}

func parseMoment(text string, now time.Time) (time.Time, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return now.AddDate(0, 0, int(n)), err == nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), true
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}
