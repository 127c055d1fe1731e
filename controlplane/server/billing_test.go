package server_test

import (
	"net/http"
	"testing"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// What providers bill is found by day and by their ids; what is wrong in a
// question is said.
func TestBilling(t *testing.T) {
	log := requestlogtest.SQLite(t)
	p := start(t, log, nil)
	if _, err := log.Open(t).Insert(t.Context(), requestlogtest.Rows(t, 0, 9)); err != nil {
		t.Fatal(err)
	}
	day := requestlogtest.Start.UTC().Format("2006-01-02")
	var rows []adminapi.BillingRow
	p.call("GET", "/admin/billing?since="+day, "", http.StatusOK, &rows)
	requests := int64(0)
	for _, r := range rows {
		requests += r.RequestCount
		if r.Day != day || r.UpstreamModel != "/models/x" || !r.Told {
			t.Errorf("%+v", r)
		}
	}
	if requests != 9 {
		t.Errorf("%d requests, want 9", requests)
	}
	var found []adminapi.BilledRequest
	p.call("POST", "/admin/billing/find", `{"ids":["chatcmpl-3","none"]}`, http.StatusOK, &found)
	if len(found) != 1 || found[0].UpstreamID != "chatcmpl-3" || found[0].CostUSD != "0.00000000004" {
		t.Errorf("found %+v", found)
	}
	for _, query := range []string{"", "?since=yesterday", "?since=" + day + "&zone=Mars", "?since=" + day + "&colour=red"} {
		p.call("GET", "/admin/billing"+query, "", http.StatusBadRequest, nil)
	}
}
