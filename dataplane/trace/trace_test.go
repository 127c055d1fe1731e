package trace_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/dataplane/trace"
)

const (
	id     = "4bf92f3577b34da6a3ce929d0e0e4736"
	parent = "00-" + id + "-00f067aa0ba902b7-01"
)

func TestAnUpstreamIsAChild(t *testing.T) {
	c := trace.Parse([]byte(parent), []byte("vendor=1"))
	if string(c.ID()) != id {
		t.Errorf("id %s", c.ID())
	}
	seen := map[string]bool{}
	for range 100 {
		got := c.Append(nil)
		if len(got) != 2 || got[0].Name != "traceparent" || got[1].Name != "tracestate" || got[1].Value != "vendor=1" {
			t.Fatalf("%+v", got)
		}
		if !regexp.MustCompile(`^00-`+id+`-[0-9a-f]{16}-01$`).MatchString(got[0].Value) || got[0].Value == parent || seen[got[0].Value] {
			t.Errorf("traceparent %s", got[0].Value)
		}
		seen[got[0].Value] = true
	}
	if got := trace.Parse([]byte(parent), []byte(strings.Repeat("x", 513))).Append(nil); len(got) != 1 {
		t.Errorf("a tracestate of 513 bytes: %+v", got)
	}
	// A later version is continued as 00.
	if got := trace.Parse([]byte("cc"+parent[2:]+"-what-the-future-has"), nil).Append(nil); len(got) != 1 || !strings.HasPrefix(got[0].Value, "00-"+id) || len(got[0].Value) != len(parent) {
		t.Errorf("a later version: %+v", got)
	}
}

func TestWhatIsNoTrace(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "short": parent[:54], "long": parent + "-x", "version": "ff" + parent[2:], "capitals": strings.ToUpper(parent), "no hex": strings.Replace(parent, "4bf", "4bg", 1),
		"no trace": "00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01", "no parent": "00-" + id + "-" + strings.Repeat("0", 16) + "-01",
		"separators": strings.ReplaceAll(parent, "-", "_"), "a later version that runs on": "cc" + parent[2:] + "x",
	} {
		c := trace.Parse([]byte(text), []byte("vendor=1"))
		if got := c.Append(nil); got != nil || c.ID() != nil {
			t.Errorf("%s: %+v %s", name, got, c.ID())
		}
	}
	if n := testing.AllocsPerRun(100, func() { trace.Parse(nil, nil).Append(nil) }); n != 0 {
		t.Errorf("a request without a trace costs %v allocations", n)
	}
}
