package server_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// TestSeries: the step follows from the period, and only the first groups have points.
func TestSeries(t *testing.T) {
	t.Parallel()
	p := start(t, requestlogtest.SQLite(t), nil)
	var rows []*requestlog.Row
	for n := range 300 { // half a minute, a while ago
		u := requestlogtest.Event(n)
		at := time.Now().Add(-10*time.Minute + time.Duration(n)*100*time.Millisecond)
		u.Time, u.RequestID = at.UnixMicro(), fmt.Sprintf("gen-%d-%020d", at.Unix(), n)
		rows = append(rows, requestlogtest.Row(t, u))
	}
	if _, err := p.store.Insert(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	for query, step := range map[string]string{"since=30m&by=model&top=2": "minute", "since=12h&by=model&top=2": "hour", "since=30d&by=model&top=2": "day"} {
		var got adminapi.Series
		p.call("GET", "/admin/series?"+query, "", 200, &got)
		var sum int64
		for _, point := range got.Points {
			sum += point.RequestCount
		}
		if got.Step != step || sum != 300 || got.Total.RequestCount != 300 || got.Total.ErrorCount != 30 || got.Total.P50TTFTMS == 0 || got.Total.TotalCostUSD == "0" {
			t.Errorf("%s: step %s, %d in points, %+v", query, got.Step, sum, got.Total)
		}
		if got.GroupCount != 3 || len(got.Groups) != 3 || len(got.Groups[1].Points) == 0 || len(got.Groups[2].Points) != 0 {
			t.Errorf("%s: groups %+v", query, got.Groups)
		}
	}
	p.refused("GET", "/admin/series?since=7d&step=minute", "", 400, "are too many")
	p.refused("GET", "/admin/series?since=yesterday", "", 400, "a duration back")
}

// TestDryRun: a change of weights says what it would do, and does not do it.
func TestDryRun(t *testing.T) {
	t.Parallel()
	p := start(t, requestlogtest.SQLite(t), nil)
	var would adminapi.Rollout
	p.call("PUT", "/admin/weights", `{"model":"glm","weights":{"far":0},"dry_run":true}`, 200, &would)
	if !would.Changed || len(would.Changes) != 1 || would.Release != 1 {
		t.Errorf("%+v", would)
	}
	var weights []adminapi.Weight
	p.call("GET", "/admin/weights?model=glm", "", 200, &weights)
	if weights[1].Weight != 0.3 {
		t.Errorf("the dry run changed %+v", weights[1])
	}
}
