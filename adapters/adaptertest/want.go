package adaptertest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hybridinference/gateway/adapters/chat"
	"github.com/hybridinference/gateway/shared/fault"
)

// Want is what one case has to give. A text that ends in "..." is how the text
// begins; any other has to be met exactly, "" too. All but the usage is about
// the first choice.
type Want struct {
	Content, Reasoning, Refusal string
	Tools                       []Tool
	// Details are the answer's reasoning_details as "type" or "type+signature",
	// fragments of the same block joined.
	Details []string
	// Finish is the normalised reason, Native the provider's word.
	Finish, Native string
	Usage          chat.Usage
	// Choices is the number of choices if it is not one.
	Choices int
	// Images, Audio, Logprobs and Annotations have to be there if they are set.
	Images, Audio, Logprobs, Annotations bool
	// Fault is the error, inside a 200 or with an error status.
	Fault *Fault
	// Client is the client's request from which the adapter has to build the
	// recorded one; "=" means the recorded request itself.
	Client string
	// Differs lists the members in which the built request may differ, and
	// does: "messages[0].content", "tools[].strict". A parent covers its members.
	Differs []string
	// Dropped are the parameters that the provider does not take.
	Dropped []string
}

// Tool is a tool call. Its arguments are compared by meaning.
type Tool struct{ ID, Name, Arguments string }

// Fault is a classified error.
type Fault struct {
	Kind       fault.Kind
	RetryAfter time.Duration
	// Message is how the client's message begins.
	Message string
	// Code is the provider's own code, if it matters.
	Code string
}

func checkAnswer(t *testing.T, got Answer, want Want) {
	t.Helper()
	if want.Finish == "" && want.Fault != nil && len(got.Choices) == 0 {
		return
	}
	if n := max(want.Choices, 1); len(got.Choices) != n {
		t.Fatalf("%d choices, want %d", len(got.Choices), n)
	}
	c := got.Choices[0]
	checkText(t, "content", c.Content, want.Content)
	checkText(t, "reasoning", c.Reasoning, want.Reasoning)
	checkText(t, "refusal", c.Refusal, want.Refusal)
	checkText(t, "finish", c.Finish, want.Finish)
	if want.Native != "" {
		checkText(t, "native finish", c.Native, want.Native)
	}
	checkTools(t, c.Tools, want.Tools)
	if kinds := c.DetailKinds(); !slices.Equal(kinds, want.Details) {
		t.Errorf("reasoning_details %q, want %q", kinds, want.Details)
	}
	if got.Usage != want.Usage {
		t.Errorf("usage %+v,\nwant  %+v", got.Usage, want.Usage)
	}
	for _, part := range []struct {
		name      string
		got, want bool
	}{
		{"images", len(c.Images) > 0, want.Images},
		{"audio", len(c.Audio) > 0, want.Audio},
		{"logprobs", len(c.Logprobs) > 0, want.Logprobs},
		{"annotations", len(c.Annotations) > 0, want.Annotations},
	} {
		if part.got != part.want {
			t.Errorf("%s: %v, want %v", part.name, part.got, part.want)
		}
	}
}

func checkText(t *testing.T, name, got, want string) {
	t.Helper()
	if prefix, ok := strings.CutSuffix(want, "..."); ok && len(got) > len(prefix) && strings.HasPrefix(got, prefix) {
		return
	}
	if got != want {
		t.Errorf("%s %q, want %q", name, got, want)
	}
}

func checkTools(t *testing.T, got, want []Tool) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d tool calls %+v, want %d", len(got), got, len(want))
		return
	}
	for i, w := range want {
		g := got[i]
		if g.Name != w.Name || g.ID == "" || w.ID != "" && g.ID != w.ID || !sameJSON(g.Arguments, w.Arguments) {
			t.Errorf("tool call %d: %+v, want %+v", i, g, w)
		}
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func checkFault(t *testing.T, got *fault.Error, want Want, status int) {
	t.Helper()
	switch {
	case got == nil && want.Fault == nil:
		return
	case got == nil:
		t.Fatalf("no fault, want %v", want.Fault.Kind)
	case want.Fault == nil:
		t.Fatalf("fault: %v", got)
	}
	w := want.Fault
	if got.Kind != w.Kind || got.RetryAfter != w.RetryAfter || w.Code != "" && got.Code != w.Code {
		t.Errorf("fault %v, code %q, retry after %v; want %v, %q, %v", got.Kind, got.Code, got.RetryAfter, w.Kind, w.Code, w.RetryAfter)
	}
	if !strings.HasPrefix(got.Message, w.Message) {
		t.Errorf("message %q, want it to begin with %q", got.Message, w.Message)
	}
	if status != 200 && got.Status != status {
		t.Errorf("status %d, want %d", got.Status, status)
	}
	checkMessage(t, got)
}

// checkMessage holds what a client reads to what it may read.
func checkMessage(t *testing.T, f *fault.Error) {
	t.Helper()
	if f.Message == "" || len(f.Message) > 600 {
		t.Errorf("a message of %d bytes", len(f.Message))
	}
	for _, text := range []string{f.Message, f.Raw} {
		for _, secret := range []string{"://", "sk-", "Bearer ", "AIza"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q may not be shown: it has %q", text, secret)
			}
		}
	}
}
