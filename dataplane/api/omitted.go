package api

import (
	"regexp"
	"slices"
)

// maxOmitted bounds how many names a client is told: they travel in a header.
const maxOmitted = 32

// plainName matches names that may stand in a header.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

// Omitted puts the names of what a request's translation leaves out in the form
// in which the client is told of them.
func Omitted(names []string) []string {
	names = slices.DeleteFunc(names, func(name string) bool { return !plainName.MatchString(name) })
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), maxOmitted)]
}
