package upstream_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
)

func TestRulesOfModelPathAndTimes(t *testing.T) {
	b := start(t)
	status := func(r upstream.Rule, code int) {
		r.Status = code
		b.script(r)
	}
	f := func(model string, want ...int) {
		t.Helper()
		for i, code := range want {
			if r := b.good(`{"model":"` + model + `"}`); r.StatusCode != code {
				t.Errorf("%s, request %d: %d instead of %d", model, i, r.StatusCode, code)
			}
		}
	}
	f("a", 200)
	status(upstream.Rule{Model: "a"}, 501)
	status(upstream.Rule{}, 502)
	f("a", 501)
	f("b", 502)
	status(upstream.Rule{Model: "a"}, 503) // in place of the first
	status(upstream.Rule{Times: 2}, 429)
	status(upstream.Rule{Model: "a", Times: 1}, 408)
	f("a", 429, 429, 408, 503)
	f("b", 502)
	status(upstream.Rule{Path: "/elsewhere/"}, 504)
	f("b", 502)
	status(upstream.Rule{Path: "/v1/chat"}, 505)
	f("b", 505)
	f("a", 503) // a model weighs more than a path
	if err := b.Reset(); err != nil {
		t.Fatal(err)
	}
	if c := b.Counts(); c.Total.Requests != 0 || len(c.By) != 0 {
		t.Errorf("%+v", c)
	}
	f("a", 200)
}

func TestBadRulesAreRefused(t *testing.T) {
	b := start(t)
	f := func(r upstream.Rule, want string) {
		t.Helper()
		if err := b.Set(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not contain %q", err, want)
		}
	}
	f(upstream.Rule{Times: -1}, "times")
	f(upstream.Rule{Script: upstream.Script{Status: 99}}, "status 99")
	f(upstream.Rule{Script: upstream.Script{Chunks: -1}}, "chunks")
	f(upstream.Rule{Script: upstream.Script{Headers: map[string]string{"A": "b\r\nC: d"}}}, `headers "A"`)
	f(upstream.Rule{Script: upstream.Script{Body: "x", NoBody: true}}, "no_body")
	f(faulty("explode", 0), `"explode"`)
	f(faulty(upstream.Reset, -2), "at -2")
	f(faulty(upstream.Half, -1), "half at -1")
	if r := b.good(chat); r.StatusCode != 200 {
		t.Errorf("a refused rule is in force: %d", r.StatusCode)
	}
}

func TestRemote(t *testing.T) {
	b := start(t)
	remote := upstream.Remote{ControlURL: b.ControlURL()}
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	pace := upstream.Duration(time.Millisecond)
	must(remote.Set(ctx, upstream.Rule{Model: "m", Script: upstream.Script{Chunks: 3, Pace: pace, Fault: upstream.Fault{Kind: upstream.Half, At: 2}}}))
	if r := b.good(stream); len(datas(r.text)) != 1+2 {
		t.Errorf("%q", r.text)
	}
	last, err := remote.Last(ctx, "m")
	must(err)
	if last.Body != stream || last.Method != http.MethodPost || last.Path != "/v1/chat/completions" || last.Header.Get("Host") != b.Addr() {
		t.Errorf("%+v", last)
	}
	c, err := remote.Counts(ctx)
	must(err)
	if want := (upstream.Count{Path: "/v1/chat/completions", Model: "m", Requests: 1, Answered: 1}); len(c.By) != 1 || c.By[0] != want {
		t.Errorf("%+v", c)
	}
	must(remote.Listen(ctx, upstream.Listening{Mode: upstream.Refuse, Drop: true}))
	if r := b.post(chat); r.err == nil {
		t.Error("it still listens")
	}
	must(remote.Reset(ctx))
	if r := b.good(stream); len(datas(r.text)) != 1+8+3 {
		t.Errorf("%q", r.text)
	}
	if _, err := remote.Last(ctx, "unheard of"); err == nil || !strings.Contains(err.Error(), "unheard of") {
		t.Errorf("%v", err)
	}
	if err := remote.Set(ctx, faulty("explode", 0)); err == nil || !strings.Contains(err.Error(), "explode") {
		t.Errorf("%v", err)
	}
}

func TestControlRefusesWhatItDoesNotKnow(t *testing.T) {
	b := start(t)
	f := func(body, want string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.ControlURL()+"/_script", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := b.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // was read
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 400 || !strings.Contains(string(text), want) {
			t.Errorf("%s: %d %q %v", body, resp.StatusCode, text, err)
		}
	}
	f(`{"statuss":500}`, `"statuss"`)
	f(`{"pace":"soon"}`, `"soon"`)
	f(`[`, "EOF")
}

// Answers to many clients at once must not be mixed up.
func TestManyClients(t *testing.T) {
	b := start(t)
	var wg sync.WaitGroup
	for _, model := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			for range 20 {
				body := strings.ReplaceAll(strings.ReplaceAll(stream, `"m"`, `"`+model+`"`), "word-1", "word-"+model)
				r := b.post(body)
				if r.err != nil || strings.Count(r.text, "word-"+model+" ") != 8 || strings.Count(r.text, `"model":"`+model+`"`) != 1+8+2 {
					t.Errorf("%q %v", r.text, r.err)
				}
			}
		})
	}
	wg.Wait()
	for _, model := range []string{"a", "b", "c", "d"} {
		if got := b.Counts(); got.Of(model).Answered != 20 {
			t.Errorf("%s: %+v", model, got)
		}
	}
}
