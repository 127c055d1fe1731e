package server_test

import (
	"slices"
	"testing"

	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	p := start(t, requestlogtest.SQLite(t), nil)
	type policy struct {
		Model, Policy, Affinity string
		Override                bool
	}
	var list []policy
	var done struct {
		Release uint64
		Changed bool
	}
	p.call("PUT", "/admin/policies", `{"model":"glm-latest","policy":"latency","reason":"slow"}`, 200, &done)
	p.call("GET", "/admin/policies?model=glm", "", 200, &list)
	if done.Release != 2 || len(list) != 1 || list[0] != (policy{"glm", "latency", "session", true}) {
		t.Errorf("%+v, %+v", done, list)
	}
	p.call("PUT", "/admin/policies", `{"model":"glm","affinity":"none"}`, 200, &done)
	p.call("PUT", "/admin/weights", `{"model":"glm","weights":{"local":0.2}}`, 200, &done)
	var status struct {
		Overrides struct{ Weights, Policies int }
	}
	p.call("GET", "/admin/status", "", 200, &status)
	if status.Overrides.Weights != 1 || status.Overrides.Policies != 1 {
		t.Errorf("%+v", status)
	}
	p.refused("PUT", "/admin/policies", `{"model":"glm","policy":"fastest"}`, 400, `policy must be one of weighted, priority, least_busy, latency, cost, got "fastest"`)
	p.refused("PUT", "/admin/policies", `{"model":"glm","affinity":"sticky"}`, 400, "affinity must be one of prefix, session, none")
	p.refused("PUT", "/admin/policies", `{"model":"glm"}`, 400, "no policy or affinity specified")
	p.refused("PUT", "/admin/policies", `{"model":"glm","policy":"cost","if_release":2}`, 409, "release 4")
	p.refused("GET", "/admin/policies?model=gpt", "", 404, "available: glm, demo")
	p.call("DELETE", "/admin/policies?model=glm", "", 200, &done)
	p.call("GET", "/admin/policies", "", 200, &list)
	if len(list) != 2 || list[0] != (policy{"glm", "weighted", "prefix", false}) {
		t.Errorf("%+v", list)
	}
	var log []struct {
		Action, Target, Reason string
		Detail                 struct{ Changes []string }
	}
	p.call("GET", "/admin/audit?limit=10", "", 200, &log)
	if len(log) < 4 || log[0].Action != "policy.reset" || log[3].Action != "policy.set" || log[3].Target != "glm" || log[3].Reason != "slow" || !slices.Contains(log[3].Detail.Changes, "model glm: policy weighted -> latency") {
		t.Errorf("%+v", log)
	}
}

// A rollout moves weights, which only the policy weighted goes by.
func TestPoliciesAndRollouts(t *testing.T) {
	t.Parallel()
	p := start(t, requestlogtest.SQLite(t), nil)
	p.call("PUT", "/admin/policies", `{"model":"glm","policy":"cost"}`, 200, nil)
	p.refused("POST", "/admin/rollouts", `{"model":"glm","to":"far","steps":[50]}`, 400, "under the policy cost of glm weights do not say")
	p.call("DELETE", "/admin/policies?model=glm", "", 200, nil)
	p.call("POST", "/admin/rollouts", `{"model":"glm","to":"far","steps":[50,100]}`, 200, nil)
	p.refused("PUT", "/admin/policies", `{"model":"glm","policy":"cost"}`, 409, "finish or abort it first")
	p.call("PUT", "/admin/policies", `{"model":"glm","affinity":"none"}`, 200, nil)
	p.call("POST", "/admin/rollouts/abort", `{"model":"glm"}`, 200, nil)
	p.call("PUT", "/admin/policies", `{"model":"glm","policy":"cost"}`, 200, nil)
}
