package testcount

import (
	"regexp"
	"strings"
)

// logged is what testing puts before a logged line: an indent and, for t.Log, the place of the call.
var logged = regexp.MustCompile(`^\s*(\S+\.go:\d+: )?`)

// tally returns a line such as "fixtures: openai 14/14 cases passed" or "result: 50000 requests, none lost". Passing tests
// are silent otherwise, but how many recorded cases were really found and tried is worth seeing every time.
func tally(output string) (string, bool) {
	line := strings.TrimSpace(output)
	line = line[len(logged.FindString(line)):]
	return line, strings.HasPrefix(line, "fixtures:") || strings.HasPrefix(line, "result:")
}
