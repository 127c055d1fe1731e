package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/eventually"
)

// TestShadowOfARoute has a request copied, and not where the node sends no copies.
func TestShadowOfARoute(t *testing.T) {
	p := startProvider(t)
	models := "models: [{id: m, pricing: {prompt: 1, completion: 1}, route: [{kind: vllm, base_url: '" + p.URL + "/m/v1'}, " +
		"{kind: vllm, id: next, base_url: '" + p.URL + "/next/v1', shadow: 100%, pricing: {prompt: 0, completion: 0}}]}]"
	for most, copied := range map[string]bool{"32": true, "0": false} {
		g := startGateway(t, models, "", "SHADOW_MAX_IN_FLIGHT="+most)
		if out := g.do(http.MethodPost, chatPath, `{"model":"m","max_tokens":9,`+user+`}`); !strings.HasPrefix(out, "200") {
			t.Fatal(out)
		}
		rows := ""
		eventually.True(t, "the rows are there", func() bool {
			rows = g.do(http.MethodGet, "/admin/logs", "")
			return strings.Count(rows, `"request_id"`) == map[bool]int{true: 2, false: 1}[copied]
		})
		if got := strings.Contains(rows, `"shadow":true`); got != copied {
			t.Errorf("SHADOW_MAX_IN_FLIGHT=%s: %s", most, rows)
		}
		if report := g.do(http.MethodGet, "/admin/shadows?model=m", ""); strings.Contains(report, `"pairs":1`) != copied || !strings.Contains(report, `"share":"100%"`) {
			t.Errorf("SHADOW_MAX_IN_FLIGHT=%s: %s", most, report)
		}
		if usage := g.do(http.MethodGet, "/admin/usage", ""); !strings.Contains(usage, `"request_count":1,`) {
			t.Errorf("SHADOW_MAX_IN_FLIGHT=%s: %s", most, usage)
		}
	}
}
