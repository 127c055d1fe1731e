package snapshot

import (
	"regexp"
	"strings"
)

// prefixed is an alias that stands for all names with a prefix.
type prefixed struct {
	prefix string
	model  *Model
}

// suffixes match what clients add to the name of a Claude model: its date, and
// the length of the context in brackets.
var (
	bracketSuffix = regexp.MustCompile(`\[[0-9a-z]+\]$`)
	dateSuffix    = regexp.MustCompile(`[-@]20[0-9]{6}$`)
)

// likely returns the model of a name that is neither an id nor an alias: a
// Claude model by its name without date and brackets, else that of the longest
// alias with a * at its end which matches; nil if there is none.
func (s *Snapshot) likely(name string) *Model {
	if base := name[strings.LastIndexByte(name, '/')+1:]; strings.HasPrefix(base, "claude-") {
		plain := bracketSuffix.ReplaceAllString(name, "")
		for _, short := range [...]string{plain, dateSuffix.ReplaceAllString(plain, "")} {
			if m := s.byName[short]; m != nil {
				return m
			}
		}
	}
	for _, p := range s.byPrefix {
		if strings.HasPrefix(name, p.prefix) {
			return p.model
		}
	}
	return nil
}
