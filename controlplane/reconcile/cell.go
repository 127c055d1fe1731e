package reconcile

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	plainNumber = regexp.MustCompile(`^(\d{1,30}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,2})?$`)
	thousands   = regexp.MustCompile(`^\d{1,3}(,\d{3})+(\.\d{1,40})?$`)
	slashDate   = regexp.MustCompile(`^\d{1,4}[/.]\d{1,2}[/.]\d{1,4}`)
)

// amount reads USD; empty is 0.
func amount(text string) (*big.Rat, error) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "$")
	switch {
	case text == "":
		return new(big.Rat), nil
	case strings.HasPrefix(text, "-"):
		return nil, fmt.Errorf("must not be negative, got %q", text)
	case thousands.MatchString(text) && strings.Contains(text, "."):
		text = strings.ReplaceAll(text, ",", "")
	case thousands.MatchString(text):
		return nil, fmt.Errorf("%q is ambiguous: write %s or %s", text, strings.ReplaceAll(text, ",", ""), strings.Replace(text, ",", ".", 1))
	}
	r, ok := new(big.Rat), plainNumber.MatchString(text)
	if ok {
		_, ok = r.SetString(text)
	}
	if !ok {
		return nil, fmt.Errorf("must be an amount in USD such as 1.25, got %q", text)
	}
	return r, nil
}

// count reads a whole number; empty is 0.
func count(text string) (int64, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return 0, nil
	case strings.HasPrefix(text, "-"):
		return 0, fmt.Errorf("must not be negative, got %q", text)
	case thousands.MatchString(text):
		text = strings.ReplaceAll(text, ",", "")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if r, ok := new(big.Rat), plainNumber.MatchString(text); err != nil && ok { // 12.0, 1.2e3
		if _, ok = r.SetString(text); ok && r.IsInt() && r.Num().IsInt64() {
			n, err = r.Num().Int64(), nil
		}
	}
	if err != nil || n >= 1<<53 {
		return 0, fmt.Errorf("must be a whole number below 2^53, got %q", text)
	}
	return n, nil
}

// errDate says which dates are read.
var errDate = errors.New("must be a date such as 2030-01-31, a time such as 2030-01-31T14:00:00Z, or seconds since 1970")

// day reads a date, or a time in UTC, and returns the day in the time zone.
func day(text string, zone *time.Location) (string, error) {
	text = strings.TrimSpace(text)
	if _, err := time.Parse(time.DateOnly, text); err == nil {
		return text, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05 -0700 MST"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.In(zone).Format(time.DateOnly), nil
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 1e9 && n < 1e10 {
		return time.Unix(n, 0).In(zone).Format(time.DateOnly), nil
	}
	if slashDate.MatchString(text) {
		return "", fmt.Errorf("%q is ambiguous: %w", text, errDate)
	}
	return "", fmt.Errorf("%w, got %q", errDate, text)
}
