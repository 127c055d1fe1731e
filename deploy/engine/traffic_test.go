package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// traffic is clients that ask through nginx one request after the other, half
// of them streams, until they are told to stop.
type traffic struct {
	t       *testing.T
	url     string
	key     string
	stop    context.CancelFunc
	clients sync.WaitGroup

	answers, failed atomic.Int64
	failures        chan error // the first ones since the last check
}

func startTraffic(t *testing.T, url, key string, clients int) *traffic {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	tr := &traffic{t: t, url: url, key: key, stop: stop, failures: make(chan error, 5)}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: 30 * time.Second}
	for i := range clients {
		tr.clients.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				if err := tr.ask(client, n%2 == 0); err != nil {
					tr.failed.Add(1)
					select {
					case tr.failures <- fmt.Errorf("%s: %w", time.Now().Format(time.TimeOnly), err):
					default:
					}
				} else {
					tr.answers.Add(1)
				}
				select {
				case <-ctx.Done():
				case <-time.After(50 * time.Millisecond): // a pace: two cores run the gateway, too
				}
			}
		})
	}
	t.Cleanup(tr.end)
	return tr
}

func (tr *traffic) end() {
	tr.stop()
	tr.clients.Wait()
}

// ask sends a request that takes about 200 ms, and reads all of its answer.
func (tr *traffic) ask(client *http.Client, stream bool) error {
	body := fmt.Sprintf(`{"model":"demo","messages":[{"role":"user","content":"Count to 10"}],"stream":%v,"demo_delay_ms":20}`, stream)
	req, err := http.NewRequest(http.MethodPost, tr.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+tr.key)
	// nginx, reloading, closes connections that are idle, maybe just when a client begins to use one: as
	// SDKs do, the client asks once more then. The header is not sent.
	req.Header["Idempotency-Key"] = []string{}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	switch want := map[bool]string{false: "9 10", true: "data: [DONE]\n\n"}[stream]; {
	case err != nil:
		return fmt.Errorf("%d, then after %d bytes: %w", resp.StatusCode, len(text), err)
	case resp.StatusCode != http.StatusOK || !strings.Contains(string(text), want):
		return fmt.Errorf("%d %s", resp.StatusCode, text)
	}
	return nil
}

// none fails the test if requests failed since the last call.
func (tr *traffic) none(what string, began time.Time) {
	tr.t.Helper()
	failed := tr.failed.Swap(0)
	tr.t.Logf("result: compose on an engine: %s: %d s, %d answers so far, %d failed", what, int(time.Since(began).Seconds()), tr.answers.Load(), failed)
	var errs []error
	for len(tr.failures) > 0 {
		errs = append(errs, <-tr.failures)
	}
	if failed > 0 {
		tr.t.Errorf("%s: %d requests failed, of which the first: %v", what, failed, errors.Join(errs...))
	}
}
