package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/hybridinference/gateway/shared/wire"
)

var (
	decimalText = regexp.MustCompile(`^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?$`)
	integerText = regexp.MustCompile(`^-?(0|[1-9]\d*(_\d+)*)$`)
)

// expanded returns any scalar as text with its variables filled in: numbers and
// switches may come from a variable too.
func (v value) expanded(what string) (expansion, bool) {
	if v.node.Kind != yaml.ScalarNode || v.null() {
		v.problemf("must be %s, got %s", what, v.describe())
		return expansion{}, false
	}
	if tag := v.node.ShortTag(); !knownTag(tag) {
		v.problemf("unsupported tag %s: write the plain value", shorten(tag))
		return expansion{}, false
	}
	x, err := v.run.vars.expand(v.node.Value, v.place())
	if err != nil {
		v.problemf("%v", err)
		return expansion{}, false
	}
	return x, true
}

func knownTag(tag string) bool {
	switch tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!timestamp", "!!merge":
		return true
	}
	return false
}

// text reads a string, which may be blank.
func (v value) text(into *string) bool {
	x, ok := v.expanded("a string")
	if !ok {
		return false
	}
	switch v.node.ShortTag() {
	case "!!int", "!!float", "!!bool":
		v.problemf("must be a string, got %s: quote it", v.describe())
		return false
	}
	*into = strings.TrimSpace(x.text)
	return true
}

// name reads a string that must match a pattern; what describes the pattern.
func (v value) name(into *string, pattern *regexp.Regexp, what string) bool {
	var s string
	if !v.text(&s) {
		return false
	}
	if !pattern.MatchString(s) {
		v.problemf("must be %s, got %s", what, v.got(s))
		return false
	}
	*into = s
	return true
}

// got shows the text that was found. What came out of a variable is not shown:
// a slip in the name could make it a secret.
func (v value) got(text string) string {
	switch {
	case strings.Contains(v.node.Value, "${"):
		return "the value of " + quote(v.node.Value)
	case v.node.ShortTag() == "!!str":
		return quote(text)
	default:
		return shorten(text)
	}
}

// choice reads one of a few words.
func (v value) choice(into *string, allowed ...string) {
	var s string
	if !v.text(&s) {
		return
	}
	if slices.Contains(allowed, s) {
		*into = s
		return
	}
	v.problemf("must be one of %s, got %s%s", strings.Join(allowed, ", "), v.got(s), suggest(s, allowed))
}

// number reads a decimal number in low..high.
func (v value) number(into *float64, low, high float64) {
	what := fmt.Sprintf("a number >= %g", low)
	if high < math.MaxInt32 {
		what = fmt.Sprintf("a number from %g to %g", low, high)
	}
	x, ok := v.expanded(what)
	if !ok {
		return
	}
	f, err := strconv.ParseFloat(x.text, 64)
	switch {
	case err != nil || !decimalText.MatchString(x.text) || f < low:
		v.problemf("must be %s, got %s", what, v.got(x.text))
	case f > high:
		v.problemf("must be at most %g, got %s", high, v.got(x.text))
	default:
		*into = f
	}
}

// integer reads a whole number in low..high.
func (v value) integer(into *int, low, high int) {
	what := fmt.Sprintf("an integer from %d to %d", low, high)
	x, ok := v.expanded(what)
	if !ok {
		return
	}
	n, err := strconv.Atoi(strings.ReplaceAll(x.text, "_", ""))
	if err != nil || !integerText.MatchString(x.text) || n < low || n > high {
		v.problemf("must be %s, got %s", what, v.got(x.text))
		return
	}
	*into = n
}

// limit reads how much is allowed per minute, such as 600 or 2M; 0 is no limit.
func (v value) limit(into *int64) {
	const what = "a number such as 600, 20k or 2M, or 0 for no limit"
	x, ok := v.expanded(what)
	if !ok {
		return
	}
	n, err := wire.ParseLimitValue(wire.LimitRPM, strings.ReplaceAll(x.text, "_", ""))
	if err != nil || n > maxRate {
		v.problemf("must be %s, got %s", what, v.got(x.text))
		return
	}
	*into = n
}

// maxRate is far above what any provider allows.
const maxRate = 1_000_000_000_000

// flag reads a switch in any of YAML's spellings.
func (v value) flag(into *bool) {
	x, ok := v.expanded("true or false")
	if !ok {
		return
	}
	switch strings.ToLower(x.text) {
	case "true", "yes", "on":
		*into = true
	case "false", "no", "off":
		*into = false
	default:
		v.problemf("must be true or false, got %s", v.got(x.text))
	}
}

// duration reads a number of seconds, or text with a unit such as 90s or 2m.
func (v value) duration(into *time.Duration, low, high time.Duration) {
	what := fmt.Sprintf("seconds or a duration such as 90s or 2m, from %v to %v", low, high)
	x, ok := v.expanded(what)
	if !ok {
		return
	}
	d, err := time.ParseDuration(x.text)
	if decimalText.MatchString(x.text) {
		d, err = time.ParseDuration(x.text + "s")
	}
	if err != nil || d < low || d > high {
		v.problemf("must be %s, got %s", what, v.got(x.text))
		return
	}
	*into = d
}
