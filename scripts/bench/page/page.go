// Package page writes what was measured as a Markdown page with SVG plots.
package page

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/measure"
	"github.com/hybridinference/gateway/scripts/bench/report"
)

// addedMost is how much a target may add to the p99 of the upstream alone, in µs, at
// a rate that counts as carried.
const addedMost = 1000

// Write writes README.md, its plots and all values (bench.json) into a directory,
// which it makes.
func Write(dir string, r *report.Report) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	var all bytes.Buffer
	if err := r.JSON(&all); err != nil {
		return err
	}
	p := &page{dir: dir, report: r}
	fmt.Fprintf(&p.text, "# Bench\n\n%s, %s, medians of %d rounds. Made by `make bench-report`; every value of every round is in [bench.json](bench.json).\n", r.Time, r.Machine, r.Rounds)
	p.costs()
	if err := p.frontier(); err != nil {
		return err
	}
	p.firstEvent()
	if err := p.memory(); err != nil {
		return err
	}
	return errors.Join(p.file("bench.json", all.Bytes()), p.file("README.md", p.text.Bytes()))
}

type page struct {
	dir    string
	report *report.Report
	text   bytes.Buffer
}

func (p *page) file(name string, b []byte) error {
	if err := os.WriteFile(filepath.Join(p.dir, name), b, 0o600); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// rows are those of a measurement.
func (p *page) rows(name string) (rows []*measure.Row) {
	for _, r := range p.report.Rows {
		if r.Measure == name {
			rows = append(rows, r)
		}
	}
	return rows
}

// targets are those that have a value in one of the rows, the upstream itself left out.
func targets(rows []*measure.Row) (names []string) {
	for _, name := range []string{fleet.Proxy, fleet.Nginx, fleet.Node, fleet.Before} {
		if slices.ContainsFunc(rows, func(r *measure.Row) bool { return len(r.Values[name]) > 0 }) {
			names = append(names, name)
		}
	}
	return names
}

// costs is a table of all rows that have no section of their own.
func (p *page) costs() {
	rows := slices.DeleteFunc(slices.Clone(p.report.Rows), func(r *measure.Row) bool { return r.Rate > 0 || r.Measure == "burst" })
	if len(rows) == 0 {
		return
	}
	p.text.WriteString("\n## Cost\n\nOf the process alone, with its share of the proxy's.\n\n")
	p.table(rows, "", func(r *measure.Row, target string) string {
		v, ok := r.Median(target)
		if !ok {
			return "-"
		}
		share, ok := r.Ratio(target, fleet.Proxy)
		if !ok || target == fleet.Proxy {
			return report.Figure(v)
		}
		return fmt.Sprintf("%s (%.2f)", report.Figure(v), share)
	})
}

// table writes a line for each row and a column for each target.
func (p *page) table(rows []*measure.Row, head string, cell func(*measure.Row, string) string) {
	names := targets(rows)
	line := func(first string, cells func(string) string) {
		fmt.Fprintf(&p.text, "| %s |", first)
		for _, name := range names {
			fmt.Fprintf(&p.text, " %s |", cells(name))
		}
		p.text.WriteByte('\n')
	}
	line(head, func(name string) string { return name })
	line("---", func(string) string { return "---" })
	for _, r := range rows {
		line(r.Title+", "+r.Unit, func(name string) string { return cell(r, name) })
	}
}

// added is the median over the rounds of what a target adds to the upstream alone.
func added(r *measure.Row, target string) (float64, bool) {
	direct, values := r.Values[fleet.Direct], r.Values[target]
	n := min(len(direct), len(values))
	if n == 0 {
		return 0, false
	}
	one := measure.Row{Values: map[string][]float64{target: make([]float64, n)}}
	for i := range n {
		one.Values[target][i] = values[i] - direct[i]
	}
	return one.Median(target)
}

func addedCell(r *measure.Row, target string) string {
	v, ok := added(r, target)
	if !ok {
		return "-"
	}
	return report.Figure(v)
}
