package reconcile

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	nameParts = regexp.MustCompile(`[a-z0-9]+`)
	// dated is the end of a name that says which version it is.
	dated = regexp.MustCompile(`[-@](\d{8}|\d{4}-\d{2}-\d{2})(:.*)?$`)
)

// family is what the names of a model have in common, as providers write it in
// bills and in the API: "Claude Haiku 4.5" and "claude-haiku-4-5-20251001".
func family(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if _, after, ok := strings.Cut(name, "/"); ok { // anthropic/claude-haiku-4.5
		name = after
	}
	name = dated.ReplaceAllString(name, "$2")
	var words, numbers []string
	for _, part := range nameParts.FindAllString(name, -1) {
		if strings.Trim(part, "0123456789") == "" {
			numbers = append(numbers, part)
		} else {
			words = append(words, part)
		}
	}
	slices.Sort(words) // claude-4-sonnet is claude-sonnet-4
	return strings.Join(words, "-") + " " + strings.Join(numbers, ".")
}

// names says which line of the comparison each name belongs to. Names that both
// sides have stay apart; where a family has different names, it is one line
// under the log's names.
func names(theirs, ours map[string]bool) (line map[string]string) {
	type sides struct{ theirs, ours map[string]bool }
	families := map[string]*sides{}
	of := func(name string) *sides {
		f := family(name)
		if families[f] == nil {
			families[f] = &sides{map[string]bool{}, map[string]bool{}}
		}
		return families[f]
	}
	for name := range theirs {
		of(name).theirs[name] = true
	}
	for name := range ours {
		of(name).ours[name] = true
	}
	line = map[string]string{}
	for _, s := range families {
		joint := ""
		if len(s.theirs) > 0 && len(s.ours) > 0 && !maps.Equal(s.theirs, s.ours) {
			joint = strings.Join(slices.Sorted(maps.Keys(s.ours)), " + ")
		}
		for _, side := range []map[string]bool{s.theirs, s.ours} {
			for name := range side {
				line[name] = name
				if joint != "" {
					line[name] = joint
				}
			}
		}
	}
	return line
}
