package server_test

import (
	"testing"

	"github.com/hybridinference/gateway/controlplane/adminapi"
	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/eventually"
)

func TestRollouts(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	p.node("n1", "")
	p.joined(1)
	f := func(body, want string) {
		t.Helper()
		p.refused("POST", "/admin/rollouts", body, 400, want)
	}
	f(`{"model":"glm"}`, "to: no endpoint specified")
	f(`{"to":"far"}`, "no model specified; available: glm, demo")
	f(`{"model":"none","to":"far"}`, `model "none" not found; available: glm, demo`)
	f(`{"model":"glm","to":"near"}`, `to: glm has no endpoint "near"; available: local, far`)
	f(`{"model":"demo","to":"demo-api"}`, "to: demo has a single endpoint")
	f(`{"model":"glm","to":"far","steps":[50,40]}`, "steps: steps must rise: 40% does not come after 50%")
	f(`{"model":"glm","to":"far","steps":[5]}`, "steps: glm:far gets 30% of the traffic already")
	f(`{"model":"glm","to":"far","steps":["5%"]}`, "steps")
	f(`{"model":"glm","to":"far","every":"soon"}`, `every: "soon" is not a duration from 1s to 168h, such as 2m`)
	f(`{"model":"glm","to":"far","guard":"speed<3"}`, `guard: unknown metric "speed"`)
	p.refused("POST", "/admin/rollouts/pause", `{"model":"glm"}`, 404, `model "glm" has no rollout that is running or paused`)

	var r adminapi.GuardedRollout
	p.call("POST", "/admin/rollouts", `{"model":"glm-latest","to":"far","steps":[50,100],"reason":"try"}`, 200, &r)
	if r.Model != "glm" || r.Endpoint != "glm:far" || r.State != adminapi.RolloutRunning || r.Step != 1 || r.Share != 50 || r.Every != "2m" || r.Guard != "errors<2%" || r.MinRequests != 20 || r.Ended != nil {
		t.Errorf("started %+v", r)
	}
	p.refused("POST", "/admin/rollouts", `{"model":"glm","to":"far","steps":[60]}`, 409, "finish or abort it first")
	p.refused("POST", "/admin/rollouts/resume", `{"model":"glm"}`, 409, "the rollout is running already")
	p.call("POST", "/admin/rollouts/pause", `{"model":"glm","reason":"lunch"}`, 200, &r)
	if r.State != adminapi.RolloutPaused || r.Log[1].What != "paused by admin: lunch" {
		t.Errorf("paused %+v", r)
	}
	p.call("POST", "/admin/rollouts/resume", `{"model":"glm"}`, 200, &r)
	var list []adminapi.GuardedRollout
	p.call("GET", "/admin/rollouts?active=true", "", 200, &list)
	if len(list) != 1 || list[0].ID != r.ID || list[0].State != adminapi.RolloutRunning {
		t.Errorf("active %+v", list)
	}
	eventually.True(t, "status and weights show the rollout", func() bool {
		var status adminapi.Status
		var weights []adminapi.Weight
		p.call("GET", "/admin/status", "", 200, &status)
		p.call("GET", "/admin/weights?model=glm", "", 200, &weights)
		want := adminapi.ActiveRollout{Model: "glm", Endpoint: "glm:far", State: adminapi.RolloutRunning, Step: 1, Steps: 2, Share: 50}
		return len(status.Rollouts) == 1 && status.Rollouts[0] == want && weights[0].Rollout == "" && weights[1].Rollout == adminapi.RolloutRunning
	})
	r = adminapi.GuardedRollout{}
	p.call("POST", "/admin/rollouts/abort", `{"model":"glm"}`, 200, &r)
	if r.State != adminapi.RolloutAborted || r.Ended == nil || r.Share != 0 || r.Why != "aborted by admin" {
		t.Errorf("aborted %+v", r)
	}
	p.call("GET", "/admin/rollouts?active=true", "", 200, &list)
	if len(list) != 0 {
		t.Errorf("active %+v", list)
	}
	p.call("GET", "/admin/rollouts?model=glm-latest", "", 200, &list)
	if len(list) != 1 || len(list[0].Log) != 4 {
		t.Errorf("of the model %+v", list)
	}
	var weights []adminapi.Weight
	p.call("GET", "/admin/weights?model=glm", "", 200, &weights)
	if weights[0].Weight != 0.7 || weights[1].Weight != 0.3 || weights[0].Override || weights[1].Override {
		t.Errorf("weights %+v", weights)
	}
	p.call("POST", "/admin/rollouts", `{"model":"glm","to":"far","steps":[50,100]}`, 200, nil)
	p.call("PUT", "/admin/weights", `{"model":"glm","weights":{"far":1}}`, 200, nil)
	p.refused("POST", "/admin/rollouts/finish", `{"model":"glm"}`, 409, "it is superseded: the weight of glm:far was changed from 0.7 to 1")
}
