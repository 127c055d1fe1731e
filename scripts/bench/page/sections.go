package page

import (
	"fmt"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"github.com/hybridinference/gateway/scripts/bench/measure"
	"github.com/hybridinference/gateway/scripts/bench/report"
)

// frontier shows what is added to the p99 at each rate, and up to which rate that
// stays small.
func (p *page) frontier() error {
	var rows []*measure.Row
	for _, r := range p.rows("frontier") {
		if strings.Contains(r.Title, "p99") {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	fmt.Fprintf(&p.text, "\n## Throughput frontier\n\nSmall requests at fixed rates: what is added to the p99 of the upstream alone. A rate is carried if that is at most %d µs there and at all lower rates.\n\n", addedMost)
	p.table(rows, "added", addedCell)
	fmt.Fprintf(&p.text, "\n| | carried |\n|---|---|\n")
	lines := lines{title: "added to the p99, small requests", x: "requests/s", y: "µs", most: 10 * addedMost}
	for _, name := range targets(rows) {
		carried, over := 0.0, false
		for _, r := range rows {
			v, ok := added(r, name)
			if over = over || !ok || v > addedMost; !over {
				carried = r.Rate
			}
			if ok {
				lines.add(name, r.Rate, v)
			}
		}
		fmt.Fprintf(&p.text, "| %s | %g/s |\n", name, carried)
	}
	return p.plot(&lines, "frontier.svg")
}

// firstEvent shows what is added to the time until a stream begins.
func (p *page) firstEvent() {
	rows := p.rows("ttft")
	if len(rows) == 0 {
		return
	}
	p.text.WriteString("\n## Time to the first event\n\nOf streams of eight chunks, begun at a fixed rate: what is added to the upstream alone.\n\n")
	p.table(rows, "added", addedCell)
}

// memory shows a burst.
func (p *page) memory() error {
	rows := p.rows("burst")
	if len(rows) == 0 || p.report.Memory == nil {
		return nil
	}
	p.text.WriteString("\n## Memory: plateau and recovery\n\n5,000 silent streams at a time, then 1 GiB of bodies of 100 KB, then silence.\n\n")
	p.table(rows, "", func(r *measure.Row, target string) string {
		v, ok := r.Median(target)
		if !ok {
			return "-"
		}
		return report.Figure(v)
	})
	curve := p.report.Memory
	lines := lines{title: curve.Title, x: "s", y: curve.Unit}
	for _, name := range targets(rows) {
		for i, v := range curve.Values[name] {
			lines.add(name, float64(i)*curve.Step.Seconds(), v)
		}
	}
	return p.plot(&lines, "memory.svg")
}

// lines is a plot with a line for each target.
type lines struct {
	title, x, y string
	most        float64 // values above are drawn there; 0 is no bound
	names       []string
	points      map[string]plotter.XYs
}

func (l *lines) add(name string, x, y float64) {
	if l.points == nil {
		l.points = map[string]plotter.XYs{}
	}
	if l.points[name] == nil {
		l.names = append(l.names, name)
	}
	if l.most > 0 {
		y = min(y, l.most)
	}
	l.points[name] = append(l.points[name], plotter.XY{X: x, Y: y})
}

// plot writes a plot and shows it on the page.
func (p *page) plot(l *lines, file string) error {
	pl := plot.New()
	pl.Title.Text, pl.X.Label.Text, pl.Y.Label.Text = l.title, l.x, l.y
	pl.Y.Min, pl.Legend.Top, pl.Legend.Left = 0, true, true
	pl.Add(plotter.NewGrid())
	var series []any
	for _, name := range l.names {
		series = append(series, name, l.points[name])
	}
	if err := plotutil.AddLinePoints(pl, series...); err != nil {
		return fmt.Errorf("plot %s: %w", l.title, err)
	}
	if err := pl.Save(18*vg.Centimeter, 9*vg.Centimeter, filepath.Join(p.dir, file)); err != nil {
		return fmt.Errorf("plot %s: %w", l.title, err)
	}
	fmt.Fprintf(&p.text, "\n![%s](%s)\n", l.title, file)
	return nil
}
