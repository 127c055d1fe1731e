package adaptertest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hybridinference/gateway/adapters/adaptertest"
	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/adapters/codec"
	"github.com/hybridinference/gateway/shared/fault"
)

func TestCompare(t *testing.T) {
	f := func(want, got string, paths ...string) {
		t.Helper()
		diffs, err := adaptertest.Compare([]byte(want), []byte(got))
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, d := range diffs {
			found = append(found, d.Path)
		}
		if !slices.Equal(found, paths) {
			t.Errorf("%s, %s: %q, want %q", want, got, found, paths)
		}
	}
	f(`{"a":1,"b":[2.0]}`, `{"b":[2],"a":1e0}`)
	f(`{"a":1}`, `{"a":2,"c":3}`, "a", "c")
	f(`{"a":{"b":1}}`, `{"a":{}}`, "a.b")
	f(`{"a":null}`, `{}`, "a")
	f(`{"a":[1,{"b":2}]}`, `{"a":[1,{"b":3}]}`, "a[1].b")
	f(`{"a":[1]}`, `{"a":[1,2]}`, "a")
	f(`7`, `8`, "")
	if _, err := adaptertest.Compare([]byte(`{}`), []byte(`{`)); err == nil {
		t.Error("a broken request compares")
	}
}

func TestAnswer(t *testing.T) {
	var a adaptertest.Answer
	a.Add(
		chat.Event{ID: chat.Literal(`"x"`), Content: chat.Literal(`"a\n"`), Usage: &chat.Usage{Prompt: 1}},
		chat.Event{Choice: 1, Reasoning: chat.Literal(`"r"`)},
		chat.Event{Content: chat.Literal(`"b"`), Details: []byte(`[{"type":"reasoning.text","index":0,"text":"h"},{"type":"reasoning.text","index":0,"text":"m"}]`)},
		chat.Event{Details: []byte(`[{"type":"reasoning.text","index":0,"signature":"s"},{"type":"reasoning.encrypted","index":1,"data":"d"}]`)},
		chat.Event{Tools: []chat.ToolDelta{{Index: 0, ID: chat.Literal(`"i"`), Name: chat.Literal(`"f"`)}, {Index: 1, ID: chat.Literal(`"j"`)}}},
		chat.Event{Tools: []chat.ToolDelta{{Index: 0, Arguments: chat.Literal(`"{}"`)}}, Finish: chat.FinishToolCalls, Native: chat.Literal(`"n"`), Usage: &chat.Usage{Prompt: 2}, Done: true},
	)
	if len(a.Choices) != 2 || a.ID != "x" || a.Usage.Prompt != 2 || !a.Done || a.Choices[1].Reasoning != "r" {
		t.Fatalf("%+v", a)
	}
	c := a.Choices[0]
	if c.Content != "a\nb" || c.Finish != "tool_calls" || c.Native != "n" || fmt.Sprint(c.Tools) != "[{i f {}} {j  }]" {
		t.Errorf("%+v", c)
	}
	if kinds := strings.Join(c.DetailKinds(), " "); kinds != "reasoning.text+signature reasoning.encrypted" || c.Details[0]["text"] != "hm" {
		t.Errorf("%s, %v", kinds, c.Details)
	}
}

// hoarder is a decoder that keeps the bytes it was given, which no decoder may.
type hoarder struct {
	codec.Adapter
	kept []byte
}

func (h *hoarder) Decoder() codec.Decoder { return h }

func (h *hoarder) Event(_, data []byte, out []chat.Event) ([]chat.Event, error) {
	if h.kept == nil {
		h.kept = data
		return out, nil
	}
	return append(out, chat.Event{Content: h.kept}), nil
}

func (h *hoarder) Body(_ []byte, out []chat.Event) ([]chat.Event, error) { return out, nil }

func (h *hoarder) EOF(out []chat.Event) ([]chat.Event, error) {
	return out, fault.New(fault.Unavailable, "cut")
}

func TestKeptBytesComeToLight(t *testing.T) {
	tr := adaptertest.Stream(&hoarder{}, []byte("data: \"a\"\n\ndata: \"b\"\n\n"), 3)
	if len(tr.Events) != 1 || strings.Contains(tr.Events[0], `content="a"`) {
		t.Errorf("%q", tr.Events)
	}
	if tr.Err == nil || tr.Err.Kind != fault.Unavailable {
		t.Errorf("%v", tr.Err)
	}
}
