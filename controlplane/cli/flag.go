package cli

import (
	"fmt"
	"math"
	"strconv"
	"time"

	urfave "github.com/urfave/cli/v2"

	"github.com/hybridinference/gateway/controlplane/adminclient"
)

// takes is what may follow a flag.
type takes int

const (
	takesValue takes = iota
	takesNothing
	// takesSpan is a flag that stands alone or with a time span.
	takesSpan
)

// flag is one flag. A name means the same kind of flag wherever it is used.
type flag struct {
	name  string
	short string
	takes takes
	// about describes it; the name of the value stands in backquotes.
	about string
	// def is what --help tells of the value when the flag is not given.
	def string
	// words are the only values, if there are any.
	words []string
}

const (
	urlVariable   = "GATEWAY_ADMIN_URL"
	tokenVariable = "ADMIN_TOKEN"
	caVariable    = "GATEWAY_ADMIN_CA"
	globalGroup   = "Flags of every command:"

	defaultWait = 30 * time.Second
	// maxSpan is the longest wait that the daemon agrees to.
	maxSpan = 10 * time.Minute
)

// globalFlags are those of every command.
func globalFlags() []flag {
	return []flag{
		{name: "output", short: "o", about: "print as `FORMAT`: table, json or yaml", def: formatTable, words: []string{formatTable, formatJSON, formatYAML}},
		{name: "url", about: "`URL` of the control plane, instead of " + urlVariable, def: adminclient.DefaultURL},
		{name: "token", about: "`TOKEN` for the control plane, instead of " + tokenVariable + "; other users of the machine can read a command line"},
		{name: "ca", about: "PEM `FILE` of an authority to believe when the URL is https, instead of " + caVariable},
		{name: "author", about: "`NAME` that the audit log gets", def: "$USER"},
		{name: "timeout", about: "give up a call after `SPAN`, plus the time of --wait", def: adminclient.DefaultTimeout.String()},
	}
}

func reasonFlag() flag {
	return flag{name: "reason", about: "`TEXT` for the audit log and the list of releases"}
}

func waitFlag() flag {
	return flag{name: "wait", takes: takesSpan, about: "wait until all live nodes have it, at most for `SPAN`: --wait 5s, --wait=5, or --wait alone for " + defaultWait.String()}
}

// changeFlags are those of every command that makes a release.
func changeFlags() []flag {
	return []flag{reasonFlag(), waitFlag(), {name: "if-release", about: "refuse unless release `N` is still the current one"}}
}

func pageFlags(def int) []flag {
	return []flag{
		{name: "limit", about: "show `N`, the newest first", def: strconv.Itoa(def)},
		{name: "before", about: "show those before number `N`"},
	}
}

// urfave returns the flag for the library.
func (f flag) urfave(category string) urfave.Flag {
	var short []string
	if f.short != "" {
		short = []string{f.short}
	}
	if f.takes == takesNothing {
		return &urfave.BoolFlag{Name: f.name, Aliases: short, Usage: f.about, Category: category, DisableDefaultText: true}
	}
	return &urfave.StringFlag{Name: f.name, Aliases: short, Usage: f.about, DefaultText: f.def, Category: category}
}

// parseSpan reads a time span as the variables of the daemons are: seconds, or
// a number with a unit.
func parseSpan(name, text string) (time.Duration, error) {
	span, err := time.ParseDuration(text)
	if seconds, numberErr := strconv.ParseFloat(text, 64); numberErr == nil {
		span, err = time.Duration(math.Min(seconds, maxSpan.Seconds()+1)*float64(time.Second)), nil
	}
	if err != nil || span < 0 || span > maxSpan {
		return 0, usagef("--%s must be seconds or a span such as 500ms or 2m, at most %s, got %q", name, maxSpan, text)
	}
	return span, nil
}

func parseCount(name, text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, usagef("--%s must be a whole number from %d to %d, got %q", name, least, most, text)
	}
	return n, nil
}

// parseNumber reads the number of a release or of an entry.
func parseNumber(what, text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n == 0 {
		return 0, usagef("%s must be a number such as 12, got %q", what, text)
	}
	return n, nil
}

func (f flag) String() string { return fmt.Sprintf("--%s", f.name) }
