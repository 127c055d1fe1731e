package upstream_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/scripts/bench/upstream"
)

type completion struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Model   string `json:"model"`
	Choices []struct {
		Message      text    `json:"message"`
		Delta        text    `json:"delta"`
		FinishReason *string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	} `json:"usage"`
}

type text struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func parse(t *testing.T, text string) (c completion) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return c
}

func TestAnswerHasModelMarkerSizeAndUsage(t *testing.T) {
	b := start(t)
	b.script(upstream.Rule{Script: upstream.Script{Size: 500}})
	r := b.good(chat)
	c := parse(t, r.text)
	if r.StatusCode != 200 || c.Model != "m" || c.Object != "chat.completion" || !strings.Contains(c.ID, "word-1") {
		t.Errorf("%d %q", r.StatusCode, r.text)
	}
	content := c.Choices[0].Message.Content
	if len(content) != 500 || !strings.HasPrefix(content, "word-1 ") || *c.Choices[0].FinishReason != "stop" {
		t.Errorf("%d bytes: %q", len(content), r.text)
	}
	if c.Usage == nil || c.Usage.Prompt == 0 || c.Usage.Completion == 0 {
		t.Errorf("usage %+v", c.Usage)
	}
}

func TestStreamIsNumberedAndEnds(t *testing.T) {
	b := start(t)
	b.script(upstream.Rule{Script: upstream.Script{Chunks: 20, ChunkSize: 40, Finish: "length"}})
	r := b.good(stream)
	events := datas(r.text)
	if len(events) != 1+20+3 || events[23] != "[DONE]" || r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d events: %q", len(events), r.text)
	}
	if c := parse(t, events[0]); c.Choices[0].Delta.Role != "assistant" {
		t.Errorf("no role: %q", events[0])
	}
	for i, event := range events[1:21] {
		c := parse(t, event)
		got := c.Choices[0].Delta.Content
		if want := "word-1 " + strconv.Itoa(i) + " "; !strings.HasPrefix(got, want) || len(got) != 40 || c.Model != "m" {
			t.Errorf("chunk %d: %q", i, event)
		}
	}
	if c := parse(t, events[21]); *c.Choices[0].FinishReason != "length" {
		t.Errorf("finish: %q", events[21])
	}
	if c := parse(t, events[22]); len(c.Choices) != 0 || c.Usage == nil || c.Usage.Completion != 20 {
		t.Errorf("usage: %q", events[22])
	}
}

func TestUsageOnlyOnRequest(t *testing.T) {
	b := start(t)
	f := func(s upstream.Script, body, want string, has bool) {
		t.Helper()
		b.script(upstream.Rule{Script: s})
		if r := b.good(body); strings.Contains(r.text, want) != has {
			t.Errorf("%q in %q: want %v", want, r.text, has)
		}
	}
	f(upstream.Script{}, stream, `"usage":{`, true)
	f(upstream.Script{}, strings.ReplaceAll(stream, `"include_usage":true`, `"include_usage":false`), `"usage":{`, false)
	f(upstream.Script{NoUsage: true}, stream, `"usage":{`, false)
	f(upstream.Script{NoUsage: true}, chat, `"usage":{`, false)
	f(upstream.Script{Usage: `{"prompt_tokens":3,"x":1}`}, chat, `"usage":{"prompt_tokens":3,"x":1}`, true)
	f(upstream.Script{NoDone: true}, stream, "[DONE]", false)
	f(upstream.Script{}, stream, "[DONE]", true)
}

// A chunk must be there before the next one is due.
func TestPacedChunksArriveAlone(t *testing.T) {
	b := start(t)
	b.script(upstream.Rule{Script: upstream.Script{Chunks: 4, Pace: upstream.Duration(40 * time.Millisecond)}})
	begun := time.Now()
	r := b.send(t.Context(), stream)
	if r.err != nil {
		t.Fatal(r.err)
	}
	lines := bufio.NewScanner(r.Body)
	var at []time.Duration
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"content":"word-1`) {
			at = append(at, time.Since(begun))
		}
	}
	if lines.Err() != nil || len(at) != 4 {
		t.Fatalf("%v %v", at, lines.Err())
	}
	for i, d := range at {
		if d < time.Duration(i)*40*time.Millisecond {
			t.Errorf("chunk %d too early: %v", i, at)
		}
	}
	if at[0] > at[3]-60*time.Millisecond {
		t.Errorf("the first chunk waited for others: %v", at)
	}
}

func TestDelayComesBeforeTheHead(t *testing.T) {
	b := start(t)
	b.script(upstream.Rule{Script: upstream.Script{Delay: upstream.Duration(30 * time.Millisecond)}})
	begun := time.Now()
	if r := b.send(t.Context(), chat); r.err != nil || time.Since(begun) < 30*time.Millisecond {
		t.Errorf("%v after %v", r.err, time.Since(begun))
	}
}

func TestVerbatimAnswers(t *testing.T) {
	b := start(t)
	f := func(s upstream.Script, body string, status int, contentType, want string) reply {
		t.Helper()
		b.script(upstream.Rule{Script: s})
		r := b.good(body)
		if r.StatusCode != status || r.Header.Get("Content-Type") != contentType || r.text != want {
			t.Errorf("%d %s %q", r.StatusCode, r.Header.Get("Content-Type"), r.text)
		}
		return r
	}
	r := f(upstream.Script{Status: 429, Headers: map[string]string{"Retry-After": "7"}, Body: `{"error":"slow down"}`}, stream, 429, "application/json", `{"error":"slow down"}`)
	if r.Header.Get("Retry-After") != "7" {
		t.Errorf("headers %v", r.Header)
	}
	f(upstream.Script{Status: 502, Headers: map[string]string{"content-type": "text/html"}, Body: "<html>no</html>"}, chat, 502, "text/html", "<html>no</html>")
	f(upstream.Script{Body: "{}"}, stream, 200, "application/json", "{}")
	f(upstream.Script{Status: 500, NoBody: true}, chat, 500, "application/json", "")
	f(upstream.Script{Status: 204}, chat, 204, "application/json", "")
	f(upstream.Script{Status: 503}, chat, 503, "application/json", `{"error":{"message":"scripted status 503","type":"scripted","code":503}}`)
	f(upstream.Script{Events: []string{"event: a\ndata: 1\n\n", "event: b\ndata: 2\n\n"}}, chat, 200, "text/event-stream", "event: a\ndata: 1\n\nevent: b\ndata: 2\n\n")
	if c := b.Counts(); c.Connections != 1 || c.Total.Answered != 7 {
		t.Errorf("not one connection for all: %+v", c)
	}
}

func TestBodyThatEndsWithTheConnection(t *testing.T) {
	b := start(t)
	f := func(body, end string) {
		t.Helper()
		b.script(upstream.Rule{Script: upstream.Script{Unframed: true}})
		r := b.good(body)
		if r.ContentLength != -1 || len(r.TransferEncoding) > 0 || !r.Close || !strings.HasSuffix(r.text, end) {
			t.Errorf("%+v", r)
		}
	}
	f(chat, "}")
	f(stream, "data: [DONE]\n\n")
}

func TestTrickleSendsEverythingSlowly(t *testing.T) {
	b := start(t)
	b.script(upstream.Rule{Script: upstream.Script{Body: strings.Repeat("x", 20), TrickleBytes: 30, TrickleEvery: upstream.Duration(10 * time.Millisecond)}})
	begun := time.Now()
	r := b.good(chat)
	// Head and body are more than 90 bytes: at least three pauses.
	if r.text != strings.Repeat("x", 20) || time.Since(begun) < 30*time.Millisecond {
		t.Errorf("%q after %v", r.text, time.Since(begun))
	}
}

func TestOtherPaths(t *testing.T) {
	b := start(t)
	f := func(path, want string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := b.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // was read
		if text, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %q %v", path, text, err)
		}
	}
	b.script(upstream.Rule{Script: upstream.Script{Status: 500}}) // for POST alone
	f("/v1/models", `"object":"list"`)
	f("/health", `"ok"`)
	b.script(upstream.Rule{Path: "/health", Script: upstream.Script{Status: 503}})
	f("/health", "scripted status 503")
	f("/v1/models", `"object":"list"`)
}
