package config

import (
	"cmp"
	"fmt"
	"slices"
)

const (
	// maxVisits bounds how many entries are looked at, since aliases inside of
	// aliases make a short file expand without end.
	maxVisits = 250_000
	// maxProblems is more than anybody reads.
	maxProblems = 1000
)

// reading is one run over the files. It collects what is wrong with them.
type reading struct {
	vars     variables
	visits   int
	problems Problems
	// untold counts the problems past maxProblems.
	untold   int
	warnings []Warning
}

func newReading(env func(string) (string, bool)) *reading {
	return &reading{vars: newVariables(env), visits: maxVisits}
}

// visit reports whether n more entries may be looked at.
func (r *reading) visit(v value, n int) bool {
	if r.visits < 0 {
		return false
	}
	if r.visits -= n; r.visits < 0 {
		v.problemf("the file has more than %d entries after expanding aliases", maxVisits)
	}
	return r.visits >= 0
}

// result returns what was found in the order of the files, each problem once: a
// mistake in something inherited is found again by every heir.
func (r *reading) result() ([]Warning, Problems) {
	inOrder(r.warnings, func(w Warning) Place { return Place{w.File, w.Line, w.Key} })
	inOrder(r.problems, func(p Problem) Place { return Place{p.File, p.Line, p.Key} })
	seen := make(map[Problem]bool)
	problems := slices.DeleteFunc(r.problems, func(p Problem) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
	if r.untold > 0 {
		problems = append(problems, Problem{File: problems[0].File, Message: fmt.Sprintf("%d more problems are not shown", r.untold)})
	}
	return r.warnings, problems
}

// inOrder sorts by line; files stay in the order of their first appearance.
func inOrder[T any](found []T, at func(T) Place) {
	files := make(map[string]int)
	for _, one := range found {
		if _, known := files[at(one).File]; !known {
			files[at(one).File] = len(files)
		}
	}
	slices.SortStableFunc(found, func(a, b T) int {
		return cmp.Or(cmp.Compare(files[at(a).File], files[at(b).File]), cmp.Compare(at(a).Line, at(b).Line))
	})
}

func (r *reading) report(found ...Problem) {
	room := min(len(found), maxProblems-len(r.problems))
	r.problems = append(r.problems, found[:room]...)
	r.untold += len(found) - room
}

func (r *reading) warn(w ...Warning) { r.warnings = append(r.warnings, w...) }
