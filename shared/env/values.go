package env

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/shared/secret"
)

// String returns a setting as it is, def if it is not given.
func (r *Reader) String(name, def, about string) string {
	if text, _, ok := r.value(name, "TEXT", def, about); ok {
		return text
	}
	return def
}

// Example begins what example files have in place of secrets.
const Example = "change-me"

// Secret returns a setting that must not be shown; empty if it is not given.
// One that an example file has is refused: everybody knows it.
func (r *Reader) Secret(name, about string) secret.String {
	text, from, _ := r.value(name, "SECRET", "", about)
	if strings.HasPrefix(strings.ToLower(text), Example) {
		r.problemf("%s has the value of the example; make one with: openssl rand -hex 32", from)
	}
	return secret.New(text)
}

// List returns the items of a comma-separated setting, without blanks around
// them and without empty ones; nil if it is not given.
func (r *Reader) List(name, about string) []string {
	text, _, _ := r.value(name, "A,B,...", "", about)
	var out []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// Enum returns one of the allowed words, which def is one of. Case does not matter.
func (r *Reader) Enum(name, def, about string, allowed ...string) string {
	text, from, ok := r.value(name, strings.Join(allowed, "|"), def, about)
	if !ok {
		return def
	}
	i := slices.IndexFunc(allowed, func(word string) bool { return strings.EqualFold(word, text) })
	if i < 0 {
		r.problemf("%s must be one of %s, got %q", from, strings.Join(allowed, ", "), text)
		return def
	}
	return allowed[i]
}

// Bool returns a switch: true, 1, yes, on or false, 0, no, off.
func (r *Reader) Bool(name string, def bool, about string) bool {
	text, from, ok := r.value(name, "true|false", strconv.FormatBool(def), about)
	if !ok {
		return def
	}
	switch strings.ToLower(text) {
	case "true", "1", "yes", "on":
		return true
	case "false", "0", "no", "off":
		return false
	}
	r.problemf("%s must be true or false (also 1, 0, yes, no, on, off), got %q", from, text)
	return def
}

// Bounds are the least and the greatest value allowed; nothing else than zero
// values means no bounds.
type Bounds[T int | float64 | time.Duration] struct{ Min, Max T }

// Port are the bounds of a port to listen on, where 0 takes a free one.
func Port() Bounds[int] { return Bounds[int]{0, math.MaxUint16} }

// Int returns a whole number.
func (r *Reader) Int(name string, def int, in Bounds[int], about string) int {
	text, from, ok := r.value(name, "N", strconv.Itoa(def), about)
	if !ok {
		return def
	}
	n, err := strconv.Atoi(text)
	return checked(r, from, text, n, def, in, err, "a whole number", strconv.Itoa)
}

// Float returns a number.
func (r *Reader) Float(name string, def float64, in Bounds[float64], about string) float64 {
	show := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	text, from, ok := r.value(name, "X", show(def), about)
	if !ok {
		return def
	}
	x, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsNaN(x) || math.IsInf(x, 0)) {
		err = strconv.ErrRange
	}
	return checked(r, from, text, x, def, in, err, "a number", show)
}

// Duration returns a time span: a number of seconds or a number with a unit,
// such as 90, 1.5, 250ms or 2h.
func (r *Reader) Duration(name string, def time.Duration, in Bounds[time.Duration], about string) time.Duration {
	text, from, ok := r.value(name, "SECONDS", def.String(), about)
	if !ok {
		return def
	}
	d, err := parseDuration(text)
	return checked(r, from, text, d, def, in, err, "seconds or a duration such as 250ms or 2h", time.Duration.String)
}

func parseDuration(text string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.ParseDuration(text)
	}
	if ns := seconds * float64(time.Second); math.Abs(ns) < math.MaxInt64 {
		return time.Duration(ns), nil
	}
	return 0, strconv.ErrRange
}

// checked returns got, or def with a problem noted.
func checked[T int | float64 | time.Duration](r *Reader, from, text string, got, def T, in Bounds[T], err error, what string, show func(T) string) T {
	var zero Bounds[T]
	if err == nil && (in == zero || cmp.Compare(got, in.Min) >= 0 && cmp.Compare(got, in.Max) <= 0) {
		return got
	}
	if in != zero {
		what += " from " + show(in.Min) + " to " + show(in.Max)
	}
	r.problemf("%s must be %s, got %q", from, what, text)
	return def
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
