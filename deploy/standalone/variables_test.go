package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/bus/bustest"
	"github.com/hybridinference/gateway/shared/eventually"
)

// variableCase shows the effect of one variable: of two gateways that differ in it
// alone, one has a text in what happens, and the other has not.
type variableCase struct {
	name, value string
	// others are variables of both.
	others []string
	// happens makes something happen and reports it; a chat if it is nil.
	happens func(*gatewayUnderTest) string
	// with is seen with the variable only, without is not seen with it only.
	with, without string
}

const slow = `{"model":"m","messages":[{"role":"user","content":"be slow"}]}`

func chats(body string) func(*gatewayUnderTest) string {
	return func(g *gatewayUnderTest) string { return g.do(http.MethodPost, chatPath, body) }
}

// failsTwice asks a model whose upstream is not there.
func failsTwice(g *gatewayUnderTest) string {
	g.do(http.MethodPost, chatPath, `{"model":"gone",`+user+`}`)
	return g.do(http.MethodPost, chatPath, `{"model":"gone",`+user+`}`)
}

// waitsLong says whether a failing model asks for more than a minute and a half.
func waitsLong(g *gatewayUnderTest) string {
	_, rest, _ := strings.Cut(failsTwice(g), "Retry-After: ")
	text, _, _ := strings.Cut(rest, "\r")
	if seconds, _ := strconv.Atoi(text); seconds > 90 {
		return "minutes"
	}
	return text
}

// during sends a request while a slow one runs, which is told apart by its text.
func during(other string) func(*gatewayUnderTest) string {
	return func(g *gatewayUnderTest) string {
		done := make(chan struct{})
		go func() { defer close(done); g.do(http.MethodPost, chatPath, slow) }()
		eventually.True(g.t, "a request runs", func() bool { return strings.Contains(g.do(http.MethodGet, "/health", ""), `"in_flight":1`) })
		defer func() { <-done }()
		return g.do(http.MethodPost, chatPath, other)
	}
}

// forwarded asks as someone else, and returns the row of the request.
func forwarded(g *gatewayUnderTest) (row string) {
	g.do(http.MethodPost, chatPath, `{"model":"m",`+user+`}`, "X-Forwarded-For", "203.0.113.7")
	eventually.True(g.t, "the request has a row", func() bool {
		row = g.do(http.MethodGet, "/admin/logs", "")
		return strings.Contains(row, `"request_id"`)
	})
	return row
}

// stored is the text of a stored request.
func stored(g *gatewayUnderTest) (content string) {
	answer := g.do(http.MethodPost, chatPath, `{"model":"m",`+user+`}`)
	_, rest, _ := strings.Cut(answer, "X-Generation-Id: ")
	id, _, _ := strings.Cut(rest, "\r")
	eventually.True(g.t, "the request has a row", func() bool { return strings.Contains(g.do(http.MethodGet, "/admin/logs", ""), id) })
	return g.do(http.MethodGet, "/admin/logs/"+id+"/content", "")
}

// stops ends the gateway while a slow request runs, and returns what it says.
func stops(g *gatewayUnderTest) string {
	go func() {
		resp, err := http.Post(g.url+chatPath, "application/json", strings.NewReader(strings.Replace(slow, "be slow", "be very slow", 1)))
		if err == nil {
			_ = resp.Body.Close()
		}
	}()
	eventually.True(g.t, "a request runs", func() bool { return strings.Contains(g.do(http.MethodGet, "/health", ""), `"in_flight":1`) })
	return fmt.Sprint(g.stop())
}

// applies sends a configuration with a variable that the files do not use.
func applies(g *gatewayUnderTest) string {
	return g.do(http.MethodPost, "/admin/apply", `{"models_yaml":"models: [{id: m, provider: vllm, base_url: '${EXTRA_URL}'}]"}`)
}

// signsIn says how long a session of the console is valid.
func signsIn(g *gatewayUnderTest) string {
	answer := g.do(http.MethodPost, "/console/session", `{"token":"`+token+`"}`, "X-Gateway-Console", "1")
	var s struct {
		Expires time.Time `json:"expires"`
		Idle    time.Time `json:"idle_expires"`
	}
	_, body, _ := strings.Cut(answer, "{")
	if err := json.Unmarshal([]byte("{"+body), &s); err != nil {
		return answer
	}
	return fmt.Sprint("expires in ", time.Until(s.Expires).Round(time.Minute), ", unused in ", time.Until(s.Idle).Round(time.Minute))
}

func adminAddress(g *gatewayUnderTest) string {
	_, rest, _ := strings.Cut(g.log.String(), "  admin    http://")
	address, _, _ := strings.Cut(rest, " ")
	return address
}

func speaksTLS(g *gatewayUnderTest) string {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", adminAddress(g), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return err.Error()
	}
	_ = conn.Close()
	return "speaks TLS"
}

// second holds a connection open and asks over another one.
func second(g *gatewayUnderTest) string {
	http.DefaultClient.CloseIdleConnections()
	held, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	if _, err := held.Write([]byte("GET /health HTTP/1.1\r\n")); err != nil {
		g.t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // the node has to take it first, of which nothing can be seen
	resp, err := http.Get(g.url + "/health/ready")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.Status
}

func variableCases(t *testing.T) []variableCase {
	t.Helper()
	dir := t.TempDir()
	port, control := freePort(t), freePort(t)
	cert, key := bustest.SelfSigned(t, dir, "loopback")
	database := filepath.Join(dir, "elsewhere.db")
	strict := []string{"CIRCUIT_FAILURE_THRESHOLD=1000"}
	return []variableCase{
		{name: "HOST", value: "127.0.0.2", happens: func(g *gatewayUnderTest) string { return g.url }, with: "127.0.0.2:"},
		{name: "PORT", value: port, happens: func(g *gatewayUnderTest) string { return g.url }, with: ":" + port},
		{name: "USER_AUTH_ENABLED", value: "true", with: "401"},
		{name: "CORS_ALLOWED_ORIGINS", value: "https://app.example", happens: func(g *gatewayUnderTest) string {
			return g.do(http.MethodGet, "/v1/models", "", "Origin", "https://app.example")
		}, with: "Access-Control-Allow-Origin: https://app.example"},
		{name: "MAX_BODY_BYTES", value: "1024", happens: chats(`{"model":"m","user":"` + strings.Repeat("x", 2000) + `",` + user + `}`), with: "413"},
		{name: "MAX_IN_FLIGHT", value: "1", happens: during(`{"model":"m",` + user + `}`), with: "503"},
		{name: "MAX_IN_FLIGHT_BYTES", value: "1048576", happens: during(`{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", 1<<20) + `"}]}`), with: "503"},
		{name: "MAX_CONNECTIONS", value: "1", happens: second, without: "200 OK"},
		{name: "STREAM_FIRST_BYTE_TIMEOUT_SECONDS", value: "0.1", happens: chats(strings.Replace(slow, "{", `{"stream":true,`, 1)), with: "524"},
		{name: "UPSTREAM_COMPLETION_TIMEOUT_S", value: "0.1", happens: chats(slow), with: "524"},
		{name: "REQUEST_DEADLINE_SECONDS", value: "0.1", happens: chats(slow), without: "Pong"},
		{name: "CIRCUIT_FAILURE_THRESHOLD", value: "1", happens: failsTwice, with: "503"},
		{name: "CIRCUIT_COOLDOWN_SECONDS", value: "600", others: []string{"CIRCUIT_FAILURE_THRESHOLD=1"}, happens: waitsLong, with: "minutes"},
		{name: "CIRCUIT_MIN_AVAILABILITY", value: "0.95", others: strict, happens: failsTwice, with: "503"},
		{name: "ROUTER_HEALTH_EWMA_ALPHA", value: "0.9", others: strict, happens: failsTwice, with: "503"},
		{name: "DB_STORE_FULL_CONTENT", value: "true", happens: stored, with: "Ping"},
		{name: "DRAIN_TIMEOUT_SECONDS", value: "0.1", happens: stops, with: "1 requests were aborted after 100ms"},
		{name: "TRUSTED_PROXIES", value: "127.0.0.0/8", happens: forwarded, with: "203.0.113.7"},
		{name: "TRUST_PROXY_HEADERS", value: "true", happens: forwarded, with: "203.0.113.7"},
		{name: "ADMIN_TOKEN", value: token, happens: func(g *gatewayUnderTest) string { return g.do(http.MethodGet, "/admin/status", "") }, with: "401"},
		{name: "CONSOLE_IDLE_TIMEOUT", value: "5m", others: []string{"ADMIN_TOKEN=" + token}, happens: signsIn, with: "unused in 5m0s"},
		{name: "CONSOLE_SESSION_LIFETIME", value: "2h", others: []string{"ADMIN_TOKEN=" + token}, happens: signsIn, with: "expires in 2h0m0s"},
		{name: "CONSOLE_API_URL", value: "http://127.0.0.1:1", happens: func(g *gatewayUnderTest) string {
			return g.do(http.MethodPost, "/console/playground", `{"model":"m",`+user+`}`)
		}, with: "CONSOLE_API_URL does not answer"},
		{name: "CONTROL_PORT", value: control, happens: adminAddress, with: ":" + control},
		{name: "CONTROL_TLS_CERT", value: cert, others: []string{"CONTROL_TLS_KEY=" + key}, happens: speaksTLS, with: "speaks TLS"},
		{name: "CONFIG_VARIABLES", value: "EXTRA_URL", others: []string{"EXTRA_URL=http://10.0.0.1"}, happens: applies, with: "200\n"},
		{name: "SQLITE_PATH", value: database, happens: func(*gatewayUnderTest) string {
			_, err := os.Stat(database)
			return fmt.Sprint(err)
		}, with: "<nil>"},
	}
}

// TestEveryVariableDoesSomething starts the whole gateway with and without each.
func TestEveryVariableDoesSomething(t *testing.T) {
	p := startProvider(t)
	models := "models:\n  - {id: demo, provider: demo}\n  - {id: m, provider: vllm, base_url: '" + p.URL + "/m/v1'}\n  - {id: gone, provider: vllm, base_url: 'http://127.0.0.1:" + freePort(t) + "'}\n"
	for _, c := range variableCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.happens == nil {
				c.happens = chats(`{"model":"m",` + user + `}`)
			}
			vars := append([]string{"API_KEY_SECRET=" + token}, c.others...)
			no := c.happens(startGateway(t, models, "", noTLSAlone(vars)...))
			with := c.happens(startGateway(t, models, "", append(vars, c.name+"="+c.value)...))
			if c.with != "" && (!strings.Contains(with, c.with) || strings.Contains(no, c.with)) || c.without != "" && (strings.Contains(with, c.without) || !strings.Contains(no, c.without)) {
				t.Errorf("%s=%s has no effect\nwith it:    %s\nwithout it: %s", c.name, c.value, shortened(with), shortened(no))
			}
		})
	}
}

// noTLSAlone leaves out half of a pair.
func noTLSAlone(vars []string) (out []string) {
	for _, v := range vars {
		if !strings.HasPrefix(v, "CONTROL_TLS_KEY=") {
			out = append(out, v)
		}
	}
	return out
}

func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return port
}
