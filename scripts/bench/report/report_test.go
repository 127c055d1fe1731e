package report_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/scripts/bench/measure"
	"github.com/hybridinference/gateway/scripts/bench/report"
)

func sample() report.Report {
	return report.Report{Time: "2030-01-02T03:04:05Z", Machine: "2 CPUs", Rounds: 3, Rows: []*measure.Row{
		{Measure: "small", Title: "CPU per request", Unit: "µs", Mark: 2.5, Values: map[string][]float64{"proxy": {10, 30, 20}, "node": {50.4, 1, 90}}},
		{Measure: "fast", Title: "CPU per chunk", Unit: "µs", Mark: 2, Values: map[string][]float64{"proxy": {4, 2}, "node": {5.5}}},
		{Measure: "latency", Title: "latency p50", Unit: "µs", Values: map[string][]float64{"direct": {100}, "proxy": {175}, "node": {1250}}},
		{Measure: "idle", Title: "memory", Unit: "KiB", Values: map[string][]float64{"proxy": {32}}},
	}}
}

func TestTable(t *testing.T) {
	want := `2030-01-02T03:04:05Z, 2 CPUs, median of 3 rounds

                                    direct     proxy      node  node/proxy  mark
CPU per request, µs                      -      20.0      50.4        4.50  OVER (at most 2.5)
CPU per chunk, µs                        -      3.00      5.50        1.38  ok (at most 2)
latency p50, µs                      100.0     175.0      1250        7.14
  added to direct, µs                           75.0      1150
memory, KiB                              -      32.0         -           -
`
	r := sample()
	var b strings.Builder
	if err := r.Table(&b); err != nil || b.String() != want {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestJSONHasEveryValue(t *testing.T) {
	r := sample()
	var b strings.Builder
	if err := r.JSON(&b); err != nil {
		t.Fatal(err)
	}
	var back report.Report
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil {
		t.Fatal(err)
	}
	if got := back.Rows[0].Values["proxy"]; back.Machine != r.Machine || len(back.Rows) != 4 || len(got) != 3 || got[1] != 30 {
		t.Errorf("%s", b.String())
	}
}
