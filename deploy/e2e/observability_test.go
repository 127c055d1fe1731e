package e2e_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/shared/eventually"
)

// observability is the folder of what is shipped for Prometheus and Grafana.
const observability = "../observability"

// TestPrometheus scrapes the three processes with a real Prometheus under the
// shipped alert rules, whose waiting times are cut.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	f := newFleet(t, `
models:
  - {id: paid, provider: vllm, base_url: "`+answering(t)+`", pricing: {prompt: 1000, completion: 1000}}
  - {id: good, provider: demo, pricing: {prompt: 1, completion: 1}}
  - {id: bad, provider: vllm, base_url: "http://127.0.0.1:1/v1", pricing: {prompt: 0, completion: 0}}
`)
	addrs := map[string]string{}
	measured := func(job string) {
		addrs[job] = "127.0.0.1:" + freePort(t)
		f.common = append(f.common, "METRICS_ADDR="+addrs[job])
	}
	measured("gateway-controlplane")
	f.startDaemon()
	measured("gateway-collector")
	f.startCollector()
	measured("gateway-dataplane")
	node := f.startNode("node-a")
	p := startPrometheus(t, addrs)
	key := f.key(node)
	const requests = 20
	for i := range requests {
		if err := ask(http.DefaultClient, node.url, key, chatBody("good", "Ping", i%2 == 0)); err != nil {
			t.Fatal(err)
		}
		_ = ask(http.DefaultClient, node.url, key, chatBody("bad", "Ping", false)) // no one is there
	}
	p.becomes(`sum(gateway_requests_total{model="good",status="2xx",surface="chat",job="gateway-dataplane",node="node-a"})`, fmt.Sprint(requests))
	p.becomes(`histogram_count(sum(gateway_request_duration_seconds{model="good"}))`, fmt.Sprint(requests)) // a native histogram
	p.becomes(`sum(gateway_collector_rows_total{store="postgres"})`, fmt.Sprint(2*requests))
	for range 2 { // a rate needs an increase that Prometheus has seen
		_ = ask(http.DefaultClient, node.url, key, chatBody("bad", "Ping", false))
	}
	p.becomes(`gateway_nodes{state="live"}`, "1")
	p.becomes(`gateway_node_release_number{node="node-a"} == on() gateway_published_release_number`, "1")
	p.becomes(`count(ALERTS{alertname="GatewayEndpointDown",alertstate="firing",endpoint="bad:local-1"})`, "1")
	p.becomes(`count(ALERTS{alertname="GatewayErrorRatio",alertstate="firing",model="bad"})`, "1")
	p.becomes(`count(ALERTS{alertname=~"GatewayProcessDown|GatewayNodeStale|GatewayUsageEventsLost|GatewayLedgerUnbalanced"}) or vector(0)`, "0")
	checkBudgets(t, f, p, node, key)
	for job, addr := range addrs {
		lint(t, job, addr)
	}
	for _, file := range dashboards(t) {
		for _, query := range queries(t, file) {
			p.shows(filepath.Base(file), query)
		}
	}
	node.kill()
	p.becomes(`count(ALERTS{alertname="GatewayProcessDown",alertstate="firing",job="gateway-dataplane"})`, "1")
	p.becomes(`count(ALERTS{alertname="GatewayNodeStale",alertstate="firing"})`, "1")
}

// checkBudgets uses a budget up, and nine tenths of another: both alerts fire. Only what
// costs something is used of a budget: demo endpoints are free.
func checkBudgets(t *testing.T, f *fleet, p *prometheus, node *member, key string) {
	t.Helper()
	p.becomes(`count(ALERTS{alertname=~"GatewayBudget.*"}) or vector(0)`, "0")
	f.ctl("limits", "set", "--budget", "1", "--reset", "total", "--model", "paid") // a hundred requests of 0.01
	spendUntil := func(alert string) {
		t.Helper()
		eventually.Nil(t, 60*time.Second, alert, func() error {
			_ = ask(http.DefaultClient, node.url, key, `{"model":"paid","messages":[{"role":"user","content":"Ping"}],"max_tokens":3}`) // in the end it is refused
			firing, err := p.query(`ALERTS{alertname="` + alert + `",alertstate="firing",holder="gateway"}`)
			if err == nil && len(firing) == 0 {
				err = errors.New("it does not fire")
			}
			return err
		})
	}
	spendUntil("GatewayBudgetNearlyUsed")
	// What the next request may cost is more than what is left: it is refused, though the sum is not reached.
	spendUntil("GatewayBudgetUsedUp")
	p.becomes(`sum(gateway_upstream_connections{scheme="http"}) > bool 0`, "1")
}

// answering is an upstream whose answers have ten tokens.
func answering(t *testing.T) (baseURL string) {
	t.Helper()
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"id":"seen-by-the-provider","choices":[{"message":{"role":"assistant","content":"Pong"},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}`)
	}))
	t.Cleanup(up.Close)
	return up.URL + "/v1"
}

// prometheus is a running server.
type prometheus struct {
	t   *testing.T
	url string
}

func startPrometheus(t *testing.T, addrs map[string]string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	rules, err := os.ReadFile(filepath.Join(observability, "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	rules = regexp.MustCompile(`(?m)^ +for: \d+m\n`).ReplaceAll(rules, nil)
	config := "global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}\nrule_files: [alerts.yml]\nscrape_configs:\n"
	for job, addr := range addrs {
		config += fmt.Sprintf("  - {job_name: %s, static_configs: [{targets: [%q]}]}\n", job, addr)
	}
	for name, text := range map[string]string{"alerts.yml": string(rules), "prometheus.yml": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr := "127.0.0.1:" + freePort(t)
	launch(t, "/usr/bin/prometheus", nil, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+addr, "--enable-feature=native-histograms", "--log.level=warn")
	serving(t, "http://"+addr+"/-/ready")
	return &prometheus{t, "http://" + addr}
}

// query returns the values of an instant query.
func (p *prometheus) query(expr string) (values []string, err error) {
	status, body, err := fetch(p.t.Context(), http.MethodGet, p.url+"/api/v1/query?query="+url.QueryEscape(expr), "")
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error string `json:"error"`
		Data  struct {
			Result []struct {
				Value [2]any `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		return nil, errors.Join(err, fmt.Errorf("status %d: %s", status, answer.Error))
	}
	for _, r := range answer.Data.Result {
		values = append(values, fmt.Sprint(r.Value[1]))
	}
	return values, nil
}

func (p *prometheus) becomes(expr, want string) {
	p.t.Helper()
	eventually.Nil(p.t, 60*time.Second, expr, func() error {
		got, err := p.query(expr)
		if err == nil && !slices.Equal(got, []string{want}) {
			err = fmt.Errorf("%v, want %s", got, want)
		}
		return err
	})
}

// silent are parts of the queries of panels that show nothing in this test: no
// tokens come from a cache, no request has a second endpoint, and a Prometheus that
// takes native histograms has no classic ones beside them.
var silent = regexp.MustCompile(`kind="cached"|gateway_failovers_total|(time_to_first_token|request_duration)_seconds_bucket`)

// shows waits until the query of a panel has an answer.
func (p *prometheus) shows(panel, query string) {
	p.t.Helper()
	if silent.MatchString(query) {
		if _, err := p.query(query); err != nil {
			p.t.Errorf("%s: %s: %v", panel, query, err)
		}
		return
	}
	eventually.Nil(p.t, 20*time.Second, panel+": "+query, func() error {
		values, err := p.query(query)
		if err == nil && len(values) == 0 {
			err = errors.New("it shows nothing")
		}
		return err
	})
}

// lint checks names and help of a process' metrics by Prometheus' conventions.
func lint(t *testing.T, job, addr string) {
	t.Helper()
	status, body, err := fetch(t.Context(), http.MethodGet, "http://"+addr+"/metrics", "")
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s: status %d, %v", job, status, err)
	}
	cmd := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(body)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", job, err, out)
	}
}

func dashboards(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(observability, "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	return files
}

// queries are those of a dashboard, with values for its variables.
func queries(t *testing.T, file string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	values := strings.NewReplacer("$__rate_interval", "1m", "$__range", "1h", "$model", ".*", "$provider", ".*")
	for _, p := range d.Panels {
		if p.Title == "" || len(p.Targets) == 0 {
			t.Errorf("%s: a panel without a title or a query", file)
		}
		for _, target := range p.Targets {
			list = append(list, values.Replace(target.Expr))
		}
	}
	return list
}

// What rules and dashboards ask for exists, and promtool accepts all files.
func TestObservabilityFilesNameMetricsThatExist(t *testing.T) {
	defined := map[string]bool{}
	name := regexp.MustCompile(`gateway_[a-z_]+[a-z]`)
	for _, folder := range []string{"../../dataplane/metrics", "../../dataplane/node", "../../controlplane/app", "../../controlplane/sinks"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range name.FindAllString(string(text), -1) {
				defined[m] = true
			}
		}
	}
	used := map[string]bool{}
	for _, file := range append(dashboards(t), filepath.Join(observability, "alerts.yml")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllString(string(text), -1) {
			used[strings.TrimSuffix(m, "_bucket")] = true
		}
	}
	for _, m := range slices.Sorted(maps.Keys(used)) {
		if !defined[m] {
			t.Errorf("there is no metric %s", m)
		}
	}
	for _, args := range [][]string{
		{"check", "rules", "alerts.yml"},
		{"test", "rules", "alerts_test.yml"},
		{"check", "config", "prometheus.yml"},
		{"check", "config", "prometheus.hosts.yml"},
		{"check", "config", "--syntax-only", withoutKubernetes(t)},
	} {
		cmd := exec.CommandContext(t.Context(), "promtool", args...)
		cmd.Dir = observability
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// TestEveryAlertIsTested holds alerts_test.yml, which promtool runs, to have each
// alert fire, from series of all that its rule reads.
func TestEveryAlertIsTested(t *testing.T) {
	text := func(file string) string {
		t.Helper()
		raw, err := os.ReadFile(filepath.Join(observability, file))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	tests, rules := text("alerts_test.yml"), text("alerts.yml")
	alerts := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(rules, -1)
	if len(alerts) == 0 {
		t.Fatal("no alerts")
	}
	for _, alert := range alerts {
		if !strings.Contains(tests, `{alertname="`+alert[1]+`"}`) {
			t.Errorf("no test has %s fire", alert[1])
		}
	}
}

// withoutKubernetes returns a copy of the configuration for Kubernetes without
// its discovery, which Debian's promtool is built without.
func withoutKubernetes(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(observability, "prometheus.kubernetes.yml"))
	if err != nil {
		t.Fatal(err)
	}
	replaced := strings.Replace(string(text), "kubernetes_sd_configs:\n      - role: pod", "static_configs:\n      - targets: []", 1)
	if replaced == string(text) {
		t.Fatal("the configuration discovers no pods")
	}
	path := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(path, []byte(replaced), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
