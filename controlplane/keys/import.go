package keys

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Imported is a key that exists elsewhere, known by its hash alone.
type Imported struct {
	Spec
	// Hash is HMAC-SHA256(key, API_KEY_SECRET) in hex.
	Hash string
	// Prefix is the key's beginning, for people; may be empty.
	Prefix string
}

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Check is like Spec's, but that a key may have expired, that the moment may
// be written as databases do, and that the name may come from the others.
func (k Imported) Check(now time.Time, models []string) (Checked, error) {
	var errs []error
	if !hashForm.MatchString(k.Hash) {
		errs = append(errs, fmt.Errorf("hash: must be HMAC-SHA256(key, API_KEY_SECRET) as 64 lower-case hex digits, got %d characters", len(k.Hash)))
	}
	errs = append(errs, checkText("prefix", k.Prefix))
	spec := k.Spec
	spec.Name = cmp.Or(k.Name, k.User, k.Prefix)
	moment, ok := databaseMoment(k.Expires)
	if ok {
		spec.Expires = ""
	}
	c, err := spec.Check(now, models)
	if ok {
		c.Expires = moment
	}
	return c, errors.Join(append(errs, err)...)
}

// databaseMoment reads the forms in which PostgreSQL and SQLite write a time.
func databaseMoment(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07", "2006-01-02 15:04:05Z07:00", time.DateTime, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC().Truncate(time.Second), true
		}
	}
	return time.Time{}, false
}
