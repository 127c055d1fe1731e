package testcount

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// report turns events into text and figures. Tests of several packages run at once, hence the maps.
type report struct {
	out       io.Writer
	skipFails bool

	total    counts
	packages map[string]*suite           // those that have begun and not ended
	builds   map[string]*strings.Builder // import path -> what the compiler said
}

// counts is how many tests ended which way.
type counts struct{ passed, failed, skipped int }

// suite is a package whose tests are running.
type suite struct {
	counts
	own   strings.Builder             // output outside of any test
	tests map[string]*strings.Builder // output of the tests that have not ended
}

func newReport(out io.Writer, skipFails bool) *report {
	return &report{
		out:       out,
		skipFails: skipFails,
		packages:  map[string]*suite{},
		builds:    map[string]*strings.Builder{},
	}
}

// line takes one line of the command's output; what is not an event is shown as it is.
func (r *report) line(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Action == "" {
		r.print(string(line))
		return
	}
	switch e.Action {
	case "build-output":
		text(r.builds, e.ImportPath).WriteString(e.Output)
	case "build-fail":
		r.print(text(r.builds, e.ImportPath).String())
		delete(r.builds, e.ImportPath)
	case "start":
		r.suite(e.Package)
	case "run":
		text(r.suite(e.Package).tests, e.Test)
	case "output":
		r.output(e)
	case "pass", "fail", "skip":
		r.end(e)
	}
}

func (r *report) output(e event) {
	if line, ok := tally(e.Output); ok {
		r.print(line + "\n")
	}
	s := r.suite(e.Package)
	if e.Test == "" {
		s.own.WriteString(e.Output)
		return
	}
	text(s.tests, e.Test).WriteString(e.Output)
}

func (r *report) end(e event) {
	s := r.suite(e.Package)
	if e.Test == "" {
		r.endPackage(e, s)
		return
	}
	said := text(s.tests, e.Test).String()
	delete(s.tests, e.Test)
	switch e.Action {
	case "pass":
		s.passed++
		return
	case "fail":
		s.failed++
	case "skip":
		s.skipped++
		if r.skipFails {
			s.failed++
		}
	}
	r.print(fmt.Sprintf("%s %s\n%s", e.Package, e.Test, said))
}

func (r *report) endPackage(e event, s *suite) {
	delete(r.packages, e.Package)
	if e.Action == "fail" {
		r.failPackage(e.Package, s)
	}
	verdict := "ok"
	switch {
	case s.failed > 0:
		verdict = "FAIL"
	case s.passed+s.skipped == 0:
		verdict = "-"
	}
	r.print(fmt.Sprintf("%-4s %s  %s  %.1fs\n", verdict, e.Package, s.counts, e.Elapsed))
	r.total.passed += s.passed
	r.total.failed += s.failed
	r.total.skipped += s.skipped
}

// failPackage counts the tests that never ended (a panic or a timeout took them along); a package without any failed
// test, for example one that did not build, counts as one.
func (r *report) failPackage(name string, s *suite) {
	for _, test := range slices.Sorted(maps.Keys(s.tests)) {
		s.failed++
		r.print(fmt.Sprintf("%s %s did not end\n%s", name, test, s.tests[test]))
	}
	s.failed = max(s.failed, 1)
	r.print(s.own.String())
}

// finish ends with the line of figures. failure is why the command failed, nil when it did not.
func (r *report) finish(failure error) bool {
	for _, name := range slices.Sorted(maps.Keys(r.packages)) {
		r.endPackage(event{Action: "fail", Package: name}, r.packages[name])
	}
	if failure != nil {
		r.print(fmt.Sprintf("the test command: %v\n", failure))
		r.total.failed = max(r.total.failed, 1)
	}
	if r.total.skipped > 0 {
		r.print(fmt.Sprintf("%d skipped\n", r.total.skipped))
	}
	if r.total.passed+r.total.failed == 0 {
		r.print("no test ran\n")
	}
	r.print(fmt.Sprintf("%d passed, %d failed\n", r.total.passed, r.total.failed))
	return r.total.passed > 0 && r.total.failed == 0
}

func (r *report) suite(name string) *suite {
	s, ok := r.packages[name]
	if !ok {
		s = &suite{tests: map[string]*strings.Builder{}}
		r.packages[name] = s
	}
	return s
}

// print drops the error: when nobody can read the report, its exit status still speaks.
func (r *report) print(text string) {
	_, _ = io.WriteString(r.out, text)
}

func (c counts) String() string {
	switch {
	case c.passed+c.failed+c.skipped == 0:
		return "no tests"
	case c.skipped > 0:
		return fmt.Sprintf("%d passed, %d failed, %d skipped", c.passed, c.failed, c.skipped)
	default:
		return fmt.Sprintf("%d passed, %d failed", c.passed, c.failed)
	}
}

// text returns the text kept under the name, empty at first.
func text(in map[string]*strings.Builder, name string) *strings.Builder {
	if in[name] == nil {
		in[name] = &strings.Builder{}
	}
	return in[name]
}
