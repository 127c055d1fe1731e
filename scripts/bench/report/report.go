// Package report shows what was measured.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/hybridinference/gateway/scripts/bench/fleet"
	"github.com/hybridinference/gateway/scripts/bench/measure"
)

// Report is a run.
type Report struct {
	Time    string         `json:"time"` // RFC 3339
	Machine string         `json:"machine"`
	Rounds  int            `json:"rounds"`
	Rows    []*measure.Row `json:"rows"`
	// Memory is the curve of a burst, nil if there was none.
	Memory *measure.Curve `json:"memory,omitempty"`
}

// JSON writes the report with every value of every round.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// Table writes the medians, a line each.
func (r *Report) Table(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, median of %d rounds\n\n", r.Time, r.Machine, r.Rounds)
	line(&b, "", fleet.Direct, fleet.Proxy, fleet.Node, "node/proxy", "mark")
	for _, row := range r.Rows {
		direct, proxy, node := median(row, fleet.Direct), median(row, fleet.Proxy), median(row, fleet.Node)
		line(&b, row.Title+", "+row.Unit, direct.String(), proxy.String(), node.String(), ratio(row, fleet.Proxy), verdict(row))
		if before := median(row, fleet.Before); before.ok {
			line(&b, "  an older node, "+row.Unit, "", "", before.String(), ratio(row, fleet.Before), "node/older")
		}
		if direct.ok {
			line(&b, "  added to direct, "+row.Unit, "", proxy.minus(direct).String(), node.minus(direct).String(), "", "")
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func line(b *strings.Builder, title string, cells ...string) {
	fmt.Fprintf(b, "%-32s", title)
	for _, c := range cells[:3] {
		fmt.Fprintf(b, " %9s", c)
	}
	b.WriteString(strings.TrimRight(fmt.Sprintf(" %11s  %s", cells[3], cells[4]), " ") + "\n")
}

// figure is a number that may be missing.
type figure struct {
	value float64
	ok    bool
}

func median(row *measure.Row, target string) figure {
	v, ok := row.Median(target)
	return figure{v, ok}
}

func (f figure) minus(o figure) figure { return figure{f.value - o.value, f.ok && o.ok} }

// String is the number, or a dash.
func (f figure) String() string {
	if !f.ok {
		return "-"
	}
	return Figure(f.value)
}

// Figure is a number with three digits or more.
func Figure(v float64) string {
	switch {
	case math.Abs(v) < 10:
		return fmt.Sprintf("%.2f", v)
	case math.Abs(v) < 1000:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.0f", v)
	}
}

func ratio(row *measure.Row, other string) string {
	v, ok := row.Ratio(fleet.Node, other)
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// verdict says whether the node keeps its mark.
func verdict(row *measure.Row) string {
	v, ok := row.Ratio(fleet.Node, fleet.Proxy)
	if !ok || row.Mark == 0 {
		return ""
	}
	word := "ok"
	if v > row.Mark {
		word = "OVER"
	}
	return fmt.Sprintf("%s (at most %g)", word, row.Mark)
}
