package page_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/measure"
	"github.com/hybridinference/gateway/scripts/bench/page"
	"github.com/hybridinference/gateway/scripts/bench/report"
)

func TestWrite(t *testing.T) {
	at := func(rate float64, title string, node, nginx float64) *measure.Row {
		return &measure.Row{Measure: "frontier", Title: title, Unit: "µs", Rate: rate, Values: map[string][]float64{
			"direct": {100, 200, 300}, "proxy": {150, 250, 350}, "node": {100 + node, 200 + node, 9999}, "nginx": {nginx, nginx, nginx},
		}}
	}
	r := &report.Report{
		Time: "2030-01-02T03:04:05Z", Machine: "2 CPUs", Rounds: 3,
		Rows: []*measure.Row{
			{Measure: "small", Title: "CPU per request, small", Unit: "µs", Values: map[string][]float64{"proxy": {10, 30, 20}, "node": {20, 45, 40}, "nginx": {5, 15, 10}}},
			at(1000, "frontier p50 at 1000/s", 1, 1), at(1000, "frontier p99 at 1000/s", 900, 140),
			at(2000, "frontier p99 at 2000/s", 1200, 150), at(3000, "frontier p99 at 3000/s", 800, 160),
			{Measure: "ttft", Title: "time to first event p50 at 300/s", Unit: "µs", Rate: 300, Values: map[string][]float64{"direct": {100}, "node": {175}}},
			{Measure: "burst", Title: "RSS before a burst", Unit: "MiB", Values: map[string][]float64{"node": {30}}},
		},
		Memory: &measure.Curve{Title: "RSS during a burst", Unit: "MiB", Step: time.Second, Values: map[string][]float64{"node": {30, 90, 33}}},
	}
	dir := filepath.Join(t.TempDir(), "new", "page")
	if err := page.Write(dir, r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| CPU per request, small, µs | 20.0 | 10.0 (0.50) | 40.0 (2.00) |", "| frontier p99 at 1000/s, µs | 50.0 | -60.0 | 900.0 |",
		"| proxy | 3000/s |", "| node | 1000/s |", // 3000/s is behind a rate that was not carried
		"| time to first event p50 at 300/s, µs | 75.0 |", "| RSS before a burst, MiB | 30.0 |", "![RSS during a burst](memory.svg)",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	for _, name := range []string{"frontier.svg", "memory.svg", "bench.json"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || strings.HasSuffix(name, "svg") && !strings.Contains(string(b), "node") {
			t.Errorf("%s: %d bytes: %v", name, len(b), err)
		}
	}
}
