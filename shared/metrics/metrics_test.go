package metrics_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/shared/logs/logtest"
	"github.com/hybridinference/gateway/shared/metrics"
)

func get(t *testing.T, url, accept string) (contentType, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d, %v", url, resp.StatusCode, err)
	}
	return resp.Header.Get("Content-Type"), string(b)
}

func TestServe(t *testing.T) {
	var out logtest.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	r := metrics.NewRegistry("v1.2.3")
	s, err := metrics.Serve(t.Context(), metrics.Settings{Addr: "127.0.0.1:0"}, "", r, log)
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + s.Addr()
	if kind, body := get(t, url+"/metrics", "text/plain"); !strings.HasPrefix(kind, "text/plain; version=0.0.4") ||
		!strings.Contains(body, `gateway_build_info{version="v1.2.3"} 1`) || !strings.Contains(body, "\ngo_goroutines ") || !strings.Contains(body, "\nprocess_resident_memory_bytes ") {
		t.Errorf("%s: %s", kind, body)
	}
	if kind, body := get(t, url+"/metrics", "application/openmetrics-text; version=1.0.0"); !strings.HasPrefix(kind, "application/openmetrics-text") || !strings.HasSuffix(body, "# EOF\n") {
		t.Errorf("%s: %s", kind, body)
	}
	if _, body := get(t, url+"/debug/pprof/goroutine?debug=1", ""); !strings.Contains(body, "goroutine profile:") {
		t.Error(body)
	}

	// An address that was asked for must be free; the usual one need not be.
	if _, err := metrics.Serve(t.Context(), metrics.Settings{Addr: s.Addr()}, "", r, log); err == nil || !strings.HasPrefix(err.Error(), "METRICS_ADDR: ") {
		t.Errorf("a taken address: %v", err)
	}
	without, err := metrics.Serve(t.Context(), metrics.Settings{}, s.Addr(), r, log)
	if err != nil || without.Addr() != "" || !strings.Contains(out.String(), "metrics are not served; set METRICS_ADDR") {
		t.Errorf("%v %s", err, &out)
	}
	off, err := metrics.Serve(t.Context(), metrics.Settings{Addr: metrics.Off}, "127.0.0.1:0", r, log)
	if err != nil || off.Addr() != "" {
		t.Errorf("%v %s", err, off.Addr())
	}
	for _, one := range []*metrics.Server{s, without, off} {
		if err := one.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAddressesAreChecked(t *testing.T) {
	for addr, good := range map[string]bool{"": true, "off": true, ":9464": true, "[::1]:0": true, "9464": false, "localhost": false, "none": false} {
		var problems []string
		s := metrics.Settings{Addr: addr}
		s.Check(func(format string, _ ...any) { problems = append(problems, format) })
		if good != (len(problems) == 0) {
			t.Errorf("%q: %v", addr, problems)
		}
	}
}
