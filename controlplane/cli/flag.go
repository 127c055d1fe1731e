package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

const (
	urlVariable   = "GATEWAY_ADMIN_URL"
	tokenVariable = "ADMIN_TOKEN"
	caVariable    = "GATEWAY_ADMIN_CA"
	globalGroup   = "Flags of every command"

	defaultWait = 30 * time.Second
	// maxSpan is the longest wait that the daemon accepts.
	maxSpan = 10 * time.Minute
)

// parsed is a flag's value that is checked while the library reads the command line.
type parsed[T any] struct {
	text  string
	value T
	parse func(text string) (T, error)
	// alone is what the flag means without a value; "" if it needs one.
	alone string
	// words are the only values, if there are any.
	words []string
}

// Set implements urfave.Generic.
func (p *parsed[T]) Set(text string) (err error) {
	if p.alone != "" && text == "true" {
		text = p.alone
	}
	p.text = text
	p.value, err = p.parse(text)
	return err
}

func (p *parsed[T]) String() string { return p.text }

// IsBoolFlag lets package flag accept the flag without a value.
func (p *parsed[T]) IsBoolFlag() bool { return p.alone != "" }

func (p *parsed[T]) choices() []string { return p.words }

// valueOf returns the value of a flag, def if it is not given.
func valueOf[T any](in *invocation, name string, def T) T {
	if p, ok := in.Generic(name).(*parsed[T]); ok && p.text != "" {
		return p.value
	}
	return def
}

// globalFlags are those of every command.
func globalFlags() []urfave.Flag {
	output := choiceFlag("output", "print as `FORMAT`: table (fitted to the terminal), wide, json, yaml, or csv for lists", formatTable, formatTable, formatWide, formatJSON, formatYAML, formatCSV)
	output.Aliases = []string{"o"}
	flags := []urfave.Flag{
		output,
		textFlag("url", "`URL` of the control plane; overrides "+urlVariable, adminclient.DefaultURL),
		textFlag("token", "admin `TOKEN`; overrides "+tokenVariable+", which is safer: other users of this machine can read a command line", ""),
		textFlag("ca", "PEM `FILE` with an extra CA certificate to trust; overrides "+caVariable, ""),
		textFlag("author", "`NAME` to record in the audit log", "$USER"),
		spanFlag("timeout", "request timeout, to which --wait is added: a `DURATION` such as 10s", time.Nanosecond, adminclient.DefaultTimeout),
	}
	for _, f := range flags {
		switch f := f.(type) {
		case *urfave.GenericFlag:
			f.Category = globalGroup
		case *urfave.StringFlag:
			f.Category = globalGroup
		}
	}
	return flags
}

func reasonFlag() urfave.Flag {
	return textFlag("reason", "`TEXT` for the audit log and the release history", "")
}

func waitFlag() urfave.Flag {
	return &urfave.GenericFlag{
		Name: "wait", Usage: "wait until every live node has applied the change, for at most `DURATION`: --wait 5s, --wait=5, or --wait for " + defaultWait.String(),
		Value: &parsed[time.Duration]{parse: func(text string) (time.Duration, error) { return parseSpan(text, 0) }, alone: defaultWait.String()},
	}
}

// changeFlags are those of every command that makes a release.
func changeFlags() []urfave.Flag {
	return []urfave.Flag{reasonFlag(), waitFlag(), numberFlag("if-release", "fail unless release `N` is the current one"), switchFlag("dry-run", "only show what would change")}
}

func pageFlags(def int) []urfave.Flag {
	return []urfave.Flag{
		countFlag("limit", "show at most `N`, newest first", def, maxLimit),
		numberFlag("before", "show only entries before number `N`"),
	}
}

// rowsFlag is of lists that are sorted here.
func rowsFlag() urfave.Flag {
	return &urfave.GenericFlag{Name: "limit", Usage: "show at most `N` rows, the first in the order of --sort", DefaultText: "all", Value: &parsed[uint64]{parse: parseNumber}}
}

// first returns as many rows as rowsFlag says.
func first[T any](in *invocation, rows []T) []T {
	limit := valueOf(in, "limit", uint64(len(rows)))
	return rows[:min(uint64(len(rows)), limit)]
}

// hidden is for the old name of a flag.
func hidden(f *urfave.GenericFlag) *urfave.GenericFlag {
	f.Hidden = true
	return f
}

// textFlag takes any text; def is what --help shows as the default.
func textFlag(name, usage, def string) *urfave.StringFlag {
	return &urfave.StringFlag{Name: name, Usage: usage, DefaultText: def}
}

func switchFlag(name, usage string) *urfave.BoolFlag {
	return &urfave.BoolFlag{Name: name, Usage: usage, DisableDefaultText: true}
}

// choiceFlag takes one of some words.
func choiceFlag(name, usage, def string, words ...string) *urfave.GenericFlag {
	parse := func(text string) (string, error) {
		if !slices.Contains(words, text) {
			return "", fmt.Errorf("must be one of %s", strings.Join(words, ", "))
		}
		return text, nil
	}
	return &urfave.GenericFlag{Name: name, Usage: usage, DefaultText: def, Value: &parsed[string]{parse: parse, words: words}}
}

// choicesFlag takes some of some words, separated by commas.
func choicesFlag(name, usage, def string, words ...string) *urfave.GenericFlag {
	parse := func(text string) ([]string, error) {
		list := strings.Split(text, ",")
		for _, word := range list {
			if !slices.Contains(words, word) {
				return nil, fmt.Errorf("must be some of %s, separated by commas", strings.Join(words, ", "))
			}
		}
		return list, nil
	}
	return &urfave.GenericFlag{Name: name, Usage: usage, DefaultText: def, Value: &parsed[[]string]{parse: parse, words: words}}
}

// momentFlag takes a time, a date or a duration back, and one of other words.
func momentFlag(name, usage, def string, words ...string) *urfave.GenericFlag {
	parse := func(text string) (string, error) {
		_, asTime := time.Parse(time.RFC3339, text)
		_, asDate := time.Parse(time.DateOnly, text)
		span, asSpan := time.ParseDuration(text)
		days, _ := strings.CutSuffix(text, "d")
		_, asDays := strconv.ParseUint(days, 10, 16)
		if asTime == nil || asDate == nil || asSpan == nil && span >= 0 || asDays == nil && days != text || slices.Contains(words, text) {
			return text, nil
		}
		forms := append([]string{"a time such as 2030-01-31T00:00:00Z, a date, a duration back such as 90m or 7d"}, words...)
		return "", fmt.Errorf("must be %s", strings.Join(forms, ", or "))
	}
	return &urfave.GenericFlag{Name: name, Usage: usage, DefaultText: def, Value: &parsed[string]{parse: parse}}
}

// daysFlag takes a duration, also in days.
func daysFlag(name, usage string) *urfave.GenericFlag {
	parse := func(text string) (time.Duration, error) {
		span, err := time.ParseDuration(text)
		if days, ok := strings.CutSuffix(text, "d"); ok {
			n, daysErr := strconv.ParseUint(days, 10, 16)
			span, err = time.Duration(n)*24*time.Hour, daysErr
		}
		if err != nil || span <= 0 {
			return 0, errors.New("must be a duration such as 30d or 12h")
		}
		return span, nil
	}
	return &urfave.GenericFlag{Name: name, Usage: usage, Value: &parsed[time.Duration]{parse: parse}}
}

// zoneFlag takes a time zone.
func zoneFlag(name, usage string) *urfave.GenericFlag {
	parse := func(text string) (string, error) {
		if _, err := time.LoadLocation(text); err != nil || text == "Local" {
			return "", errors.New("must be an IANA time zone such as Asia/Kolkata")
		}
		return text, nil
	}
	return &urfave.GenericFlag{Name: name, Usage: usage, DefaultText: "UTC", Value: &parsed[string]{parse: parse}}
}

// countFlag takes an integer from 1 to most.
func countFlag(name, usage string, def, most int) *urfave.GenericFlag {
	parse := func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			return 0, fmt.Errorf("must be an integer from 1 to %d", most)
		}
		return n, nil
	}
	return &urfave.GenericFlag{Name: name, Usage: usage, DefaultText: strconv.Itoa(def), Value: &parsed[int]{parse: parse}}
}

// priorityFlag takes the priority of a key, which may be negative.
func priorityFlag() *urfave.GenericFlag {
	const most = 1000
	parse := func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < -most || n > most {
			return 0, fmt.Errorf("must be an integer from %d to %d", -most, most)
		}
		return n, nil
	}
	return &urfave.GenericFlag{Name: "priority", Usage: "`NUMBER` by which the key's requests wait in queues: the higher ones go first", DefaultText: "0", Value: &parsed[int]{parse: parse}}
}

// numberFlag takes the number of a release or of an entry.
func numberFlag(name, usage string) *urfave.GenericFlag {
	return &urfave.GenericFlag{Name: name, Usage: usage, Value: &parsed[uint64]{parse: parseNumber}}
}

// spanFlag takes a time span of at least least.
func spanFlag(name, usage string, least, def time.Duration) *urfave.GenericFlag {
	parse := func(text string) (time.Duration, error) { return parseSpan(text, least) }
	return &urfave.GenericFlag{Name: name, Usage: usage, DefaultText: def.String(), Value: &parsed[time.Duration]{parse: parse}}
}

// parseSpan reads a time span as the variables of the daemons are: seconds, or
// a number with a unit.
func parseSpan(text string, least time.Duration) (time.Duration, error) {
	span, err := time.ParseDuration(text)
	if seconds, numberErr := strconv.ParseFloat(text, 64); numberErr == nil {
		span, err = time.Duration(math.Min(seconds, maxSpan.Seconds()+1)*float64(time.Second)), nil
	}
	switch {
	case err != nil || span < 0 || span > maxSpan:
		return 0, fmt.Errorf("must be seconds or a duration such as 500ms or 2m, at most %s", maxSpan)
	case span < least:
		return 0, errors.New("must be positive")
	}
	return span, nil
}

func parseNumber(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return 0, errors.New("must be a number such as 12")
	}
	return n, nil
}

// numberArgument reads the number of a release or of an entry among the arguments.
func numberArgument(what, text string) (uint64, error) {
	n, err := parseNumber(text)
	if err != nil {
		return 0, usagef("%s %w, got %q", what, err, text)
	}
	return n, nil
}
