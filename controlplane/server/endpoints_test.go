package server_test

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/controlplane/requestlog/requestlogtest"
	"github.com/hybridinference/gateway/shared/wire"
)

func TestEndpointsAreTakenOutAndPutBack(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, db *requestlogtest.Database) {
		p := start(t, db, nil)
		p.node("n1", "")
		p.joined(1)
		var done struct {
			Release uint64
			Changed bool
			Nodes   []struct{ State string }
		}
		p.call("POST", "/admin/endpoints/disable", `{"endpoints":["glm:far"],"reason":"disk","wait_ms":10000}`, 200, &done)
		if !done.Changed || done.Release != 2 || len(done.Nodes) != 1 || done.Nodes[0].State != "applied" {
			t.Errorf("%+v", done)
		}
		var list []struct {
			Endpoint, State, Share string
			Weight                 float64
		}
		p.call("GET", "/admin/endpoints?model=glm", "", 200, &list)
		if list[1].State != "disabled" || list[1].Weight != 0.3 || list[1].Share != "0%" || list[0].Share != "100%" {
			t.Errorf("%+v", list)
		}
		p.refused("POST", "/admin/endpoints/disable", `{"endpoints":["glm:local"]}`, 400, "could not be served")
		p.refused("POST", "/admin/endpoints/disable", `{"endpoints":["glm:moon"]}`, 400, "glm has local, far")
		p.refused("POST", "/admin/endpoints/enable", `{}`, 400, "no endpoints specified")
		p.call("POST", "/admin/endpoints/enable", `{"endpoints":["glm:far"],"if_release":2}`, 200, &done)
		p.refused("POST", "/admin/endpoints/disable", `{"endpoints":["glm:far"],"if_release":2}`, 409, "release 3")
		p.call("POST", "/admin/endpoints/enable", `{"endpoints":["glm:far"]}`, 200, &done)
		if done.Changed {
			t.Error("enabled twice")
		}
	})
}

func TestExplain(t *testing.T) {
	p := start(t, requestlogtest.SQLite(t), nil)
	p.refused("POST", "/admin/explain", `{"request":{"model":"demo"}}`, 503, "no live node")
	p.refused("POST", "/admin/explain", `{"request":{},"node":"n1"}`, 404, "n1")
	p.refused("POST", "/admin/explain", `{"request":{},"node":"a.b"}`, 400, "node must be")
	p.refused("POST", "/admin/explain", `{}`, 400, "request is required")
	nc := p.nats.Connect("n1")
	if _, err := nc.Subscribe(wire.AskExplain+".n1", func(m *nats.Msg) {
		q, err := wire.DecodeQuestion(m.Data)
		if err != nil {
			t.Error(err)
			return
		}
		e := wire.Explanation{Node: "n1", Release: 1, Models: []string{q.KeyID}, Tried: []wire.Candidate{{Model: "demo", Endpoint: string(q.Body)}}, Left: []wire.Candidate{}}
		text, err := e.Encode()
		if err != nil {
			t.Error(err)
		}
		_ = m.Respond(text)
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	var e wire.Explanation
	p.call("POST", "/admin/explain", `{"request":{"model":"demo"},"node":"n1","key":"k_1"}`, 200, &e)
	if e.Node != "n1" || e.Models[0] != "k_1" || e.Tried[0].Endpoint != `{"model":"demo"}` {
		t.Errorf("%+v", e)
	}
}
