package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// TestNothingIsLost kills every process in turn, the node with events that
// no one else has, and NATS with its storage. In the end each answer that a
// client got has exactly one row.
func TestNothingIsLost(t *testing.T) {
	f := newFleet(t, demoModels)
	f.startDaemon()
	collector := f.startCollector()
	n := f.startNode("node-a")
	key := f.key(n)
	answered := 0
	ask := func(count int) {
		t.Helper()
		for range count {
			status, body, err := fetch(t.Context(), http.MethodPost, n.url+"/v1/chat/completions", `{"model":"demo","messages":[{"role":"user","content":"Ping"}]}`, "Authorization", "Bearer "+key)
			if err != nil || status != http.StatusOK {
				t.Fatalf("request %d: %d %s %v", answered, status, body, err)
			}
			answered++
		}
	}
	ask(100)
	collector.kill()
	ask(100) // wait in NATS, which dies with its storage
	f.nats.kill()
	if err := os.RemoveAll(f.natsDir); err != nil {
		t.Fatal(err)
	}
	ask(100) // wait in the node, which dies
	n.kill()
	n = f.restartNode(n.id, n.dir, n.url[len("http://127.0.0.1:"):])
	ask(100) // of the release on its disk
	f.natsDir = t.TempDir()
	f.startNATS()
	collector = f.startCollector()
	ask(100)
	var rows, distinct int
	stored := func() error {
		if err := f.query(t.Context(), "SELECT COUNT(*), COUNT(DISTINCT request_id) FROM api_logs", &rows, &distinct); err != nil {
			return err
		}
		if rows != answered {
			return fmt.Errorf("%d rows of %d answers", rows, answered)
		}
		return nil
	}
	eventually.Nil(t, 60*time.Second, "every answer has a row", stored)
	if distinct != answered {
		t.Errorf("%d of %d rows are distinct", distinct, rows)
	}
	// and the spool knows it
	eventually.Nil(t, 30*time.Second, "everything is committed", func() error {
		_, body, err := fetch(t.Context(), http.MethodGet, n.url+"/health", "")
		if err == nil && !containsAll(body, `"pending":0`, `"lost":0`) {
			err = errors.New(body)
		}
		return err
	})
	if err := n.stop(30 * time.Second); err != nil {
		t.Errorf("the node's end: %v", err)
	}
	collector.kill()
	if err := stored(); err != nil {
		t.Error(err)
	}
}
