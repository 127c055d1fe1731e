package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
	"github.com/hybridinference/gateway/shared/wire"
)

const hookSecret = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"

// A limit that crosses a threshold is posted to the webhook, signed, once, and
// again until the receiver has it.
func TestAlertsReachTheWebhook(t *testing.T) {
	posts := make(chan *http.Request, 10)
	bodies := make(chan []byte, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // what is missing has another signature
		if posts <- r; len(posts) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		bodies <- body
	}))
	defer receiver.Close()
	g := startGateway(t, "models:\n  - {id: m, provider: demo}\n", "", "API_KEY_SECRET="+token, "USER_AUTH_ENABLED=true",
		"ALERT_THRESHOLDS=40, 90", "ALERT_WEBHOOK_URL="+receiver.URL+"/hook?key=hidden", "ALERT_WEBHOOK_SECRET="+hookSecret)
	eventually.True(t, "the daemon grants", func() bool { return strings.Contains(g.log.String(), "granting shares of limits") })
	made := g.do(http.MethodPost, "/admin/keys", `{"name":"ci","limits":[{"kind":"rpd","value":"5"}],"wait_ms":5000}`)
	key := regexp.MustCompile(`"key":"(hyi-[^"]+)"`).FindStringSubmatch(made)
	if key == nil {
		t.Fatal(made)
	}
	for range 3 {
		if answer := g.do(http.MethodPost, chatPath, `{"model":"m",`+user+`}`, "X-API-Key", key[1]); !strings.HasPrefix(answer, "200") {
			t.Fatal(answer)
		}
	}
	var body []byte
	select {
	case body = <-bodies:
	case <-time.After(20 * time.Second):
		t.Fatal("no alert was delivered")
	}
	var alert wire.LimitAlert
	if err := json.Unmarshal(body, &alert); err != nil || alert.Percent != 40 || alert.Holder != "key" || alert.HolderName != "ci" || alert.Kind != "rpd" || alert.Limit != "5" || alert.ResetsAt == nil {
		t.Errorf("%v, %s", err, body)
	}
	<-posts // the one that failed
	signature := (<-posts).Header.Get("X-Gateway-Signature")
	at, _, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
	mac := hmac.New(sha256.New, []byte(hookSecret))
	mac.Write([]byte(at + "." + string(body)))
	if want := "t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil)); signature != want {
		t.Errorf("signature %q, want %q", signature, want)
	}
	eventually.True(t, "limits show has it", func() bool {
		return strings.Contains(g.do(http.MethodGet, "/admin/limits", ""), `"delivery":"delivered"`)
	})
	if audit := g.do(http.MethodGet, "/admin/audit", ""); strings.Count(audit, "limit.alert") != 1 || !strings.Contains(audit, `percent`) {
		t.Errorf("audit log: %s", audit)
	}
	if len(posts) != 0 || strings.Contains(g.log.String(), "hidden") {
		t.Errorf("%d posts too many, or the URL is in the log", len(posts))
	}
}
