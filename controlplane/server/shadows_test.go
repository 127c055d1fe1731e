package server_test

import (
	"strings"
	"testing"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

// A model's shadows are compared, by the model's alias too.
func TestShadowsAreReported(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		main, copied := requestlogtest.Event(0), requestlogtest.Event(1)
		main.Model, copied.Model = "glm", "glm"
		main.LatencyMS, main.PromptTokens, main.CostUSD = 20, 7, "0.5"
		copied.Shadow, copied.ShadowOf, copied.Endpoint = true, main.RequestID, "glm:gone"
		copied.LatencyMS, copied.PromptTokens, copied.CostUSD, copied.Status = 10, 8, "0.25", 200
		if _, err := p.store.Insert(t.Context(), []*requestlog.Row{requestlogtest.Row(t, main), requestlogtest.Row(t, copied)}); err != nil {
			t.Fatal(err)
		}
		var out adminapi.ShadowReport
		p.call("GET", "/admin/shadows?model=glm-latest&since=2026-05-01T00:00:00Z", "", 200, &out)
		if out.Model != "glm" || len(out.Shadows) != 1 {
			t.Fatalf("%+v", out)
		}
		c := out.Shadows[0]
		if c.Endpoint != "glm:gone" || c.Share != "" || c.Pairs != 1 || c.Unmatched != 0 || c.Main.P50LatencyMS != 20 || c.Shadow.P95LatencyMS != 10 ||
			c.Main.PromptTokens != 7 || c.Shadow.PromptTokens != 8 || c.Main.CostUSD != "0.5" || c.Shadow.CostUSD != "0.25" || c.Main.Statuses["200"] != 1 || c.Shadow.Endpoints["glm:gone"] != 1 {
			t.Errorf("%+v", c)
		}
		p.call("GET", "/admin/shadows?model=glm&since=2026-05-01T00:00:00Z&endpoint=gone", "", 200, &out)
		if len(out.Shadows) != 1 {
			t.Errorf("by the endpoint: %+v", out)
		}
		p.call("GET", "/admin/shadows?model=glm", "", 200, &out)
		if len(out.Shadows) != 0 {
			t.Errorf("of the last day: %+v", out)
		}
		p.refused("GET", "/admin/shadows?model=none", "", 404, "glm")
		p.refused("GET", "/admin/shadows", "", 404, "no model specified")
		p.refused("GET", "/admin/shadows?model=glm&since=yesterday", "", 400, "since")
		var rows []map[string]any
		p.call("GET", "/admin/logs?shadow=only", "", 200, &rows)
		if len(rows) != 1 || rows[0]["shadow"] != true || rows[0]["shadow_of"] != main.RequestID {
			t.Errorf("%v", rows)
		}
		var usage []adminapi.UsageRow
		p.call("GET", "/admin/usage?by=model&since=2026-05-01T00:00:00Z", "", 200, &usage)
		if len(usage) != 1 || usage[0].RequestCount != 1 || usage[0].CostUSD != "0.5" {
			t.Errorf("usage %+v", usage)
		}
		paid := strings.ReplaceAll(`{"dry_run":true,"models_yaml":"models: [{id: glm, route: [{id: a, kind: vllm, base_url: 'http://10.0.0.5'}, {id: b, kind: deepseek, shadow: 5%}]}]"}`, "'", `\"`)
		p.refused("POST", "/admin/apply", paid, 400, "one problem")
		p.call("POST", "/admin/apply", strings.Replace(paid, `{`, `{"paid_shadows":true,`, 1), 200, nil)
	})
}
