package node_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/hybridinference/gateway/dataplane/gateway"
	"github.com/hybridinference/gateway/dataplane/node"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/bus"
	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/secret"
	"github.com/hybridinference/gateway/shared/wire"
)

// A node that gets no shares of limits says so in /health and in its status,
// until a daemon grants again.
func TestHealthTellsOfAnOutageOfLimits(t *testing.T) {
	const hashes, key, note = "a-secret-for-hashes", "hyi-test", "no daemon grants shares of limits: each limit's on_outage applies"
	s := bustest.Start(t)
	c := newControl(t, s)
	n, err := node.New(t.Context(), node.Options{
		Node: "n1", Version: "test", NATS: bus.Options{URL: s.ClientURL()}, Breaker: upstream.DefaultBreaker(), Flush: 200 * time.Millisecond,
		Gateway: gateway.Options{Addr: "127.0.0.1:0", Auth: true, KeySecret: secret.New(hashes)}, Secret: func(string) (string, bool) { return "", false },
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, n)
	mac := hmac.New(sha256.New, []byte(hashes))
	_, _ = mac.Write([]byte(key)) // a hash never fails
	table := &wire.KeyTable{Epoch: 1, Version: 1, Keys: []wire.Key{{ID: "k", Hash: hex.EncodeToString(mac.Sum(nil)), Name: "k", User: "u", Role: "pro", Limits: []wire.Limit{{Kind: wire.LimitRPM, Value: 10}}}}}
	body, err := table.Encode()
	if err != nil {
		t.Fatal(err)
	}
	c.put(wire.KeyTableKey, 1, 1, body)
	c.publish(release(1, 1, demo("a")))
	c.beat(1, 1, 1)
	ask := func(want int) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.Addr()+"/v1/chat/completions", strings.NewReader(ask))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			return fmt.Errorf("%d, want %d", resp.StatusCode, want)
		}
		return nil
	}
	noted := func() error {
		if h := health(t, n); h.Status != "degraded" || !strings.Contains(strings.Join(h.Notes, ";"), note) {
			return fmt.Errorf("health %+v", h)
		}
		return nil
	}
	if err := noted(); err == nil {
		t.Error("an outage before anything was asked for")
	}
	eventually.Nil(t, eventually.Limit, "a request is refused", func() error { return ask(503) })
	eventually.Nil(t, eventually.Limit, "the outage is in /health", noted)
	c.await("with the outage", func(s *wire.NodeStatus) bool { return strings.Contains(strings.Join(s.Notes, ";"), note) })
	if _, err := c.nc.Subscribe(wire.LeasePrefix+"*", func(m *nats.Msg) {
		report, err := wire.DecodeLeaseReport(m.Data)
		if err != nil {
			t.Error(err)
			return
		}
		reply := &wire.LeaseReply{Epoch: 1, Seq: report.Seq, Valid: time.Minute}
		for _, u := range report.Uses {
			reply.Grants = append(reply.Grants, wire.LeaseGrant{Counter: u.Counter, Share: 5})
		}
		bus.Answer(m, reply.Append(nil))
	}); err != nil {
		t.Fatal(err)
	}
	eventually.Nil(t, eventually.Limit, "a request is answered", func() error { return ask(200) })
	eventually.Nil(t, eventually.Limit, "the outage is over", func() error {
		if noted() == nil {
			return errors.New("it is in /health")
		}
		return nil
	})
}
