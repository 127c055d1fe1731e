package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
)

// sent is a request as an agent wrote it, or as the upstream got it.
type sent struct {
	path, dropped string
	body          []byte
}

// tapped is the key of a request's body in its context.
type tapped struct{}

func isGeneration(path string) bool {
	return strings.HasSuffix(path, "/messages") || strings.HasSuffix(path, "/responses") || strings.HasSuffix(path, "/chat/completions")
}

// tap is what agents are given for the gateway: it passes all on, and keeps the
// requests for generations that were answered.
type tap struct {
	http.Handler

	mu   sync.Mutex
	kept []sent
}

func newTap(t *testing.T, gateway string) *tap {
	t.Helper()
	target, err := url.Parse(gateway)
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {} // the agent has left
	proxy.ModifyResponse = func(r *http.Response) error {
		if body, ok := r.Request.Context().Value(tapped{}).([]byte); ok && r.StatusCode == http.StatusOK {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.kept = append(p.kept, sent{r.Request.URL.Path, r.Header.Get("X-Gateway-Dropped-Params"), body})
		}
		return nil
	}
	p.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isGeneration(r.URL.Path) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), tapped{}, body))
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		proxy.ServeHTTP(w, r)
	})
	return p
}

// take returns what was kept since the last call.
func (p *tap) take() []sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.kept
	p.kept = nil
	return kept
}

// words is a conversation for comparing: what is said, by whom, in order, with
// what is said in a row by the same as one, and without white space, since
// servers get parts in different forms.
type words struct {
	who  []string
	said []string
}

const (
	lateInstruction = "[Instruction from the system, not from the user]"
	// billing begins Claude Code's note to Anthropic, which no other server gets.
	billing = "x-anthropic-billing-header"
)

func (w *words) add(who, text string) {
	if strings.HasPrefix(text, billing) {
		return
	}
	if late, ok := strings.CutPrefix(text, lateInstruction); ok {
		who, text = "system", late
	}
	text = strings.Join(strings.Fields(text), "")
	n := len(w.who)
	switch {
	case text == "" && !strings.HasPrefix(who, "call"):
	case n > 0 && w.who[n-1] == who:
		w.said[n-1] += text
	default:
		w.who, w.said = append(w.who, who), append(w.said, text)
	}
}

// object is the part of all three APIs' messages, items and blocks that a
// conversation is in.
type object struct {
	Type, Role, Text, Name, Arguments string
	Content, Output, Input            json.RawMessage
	ToolCalls                         []struct{ Function object } `json:"tool_calls"`
}

// parts adds a text, or the parts of a message.
func (w *words) parts(who string, content json.RawMessage) {
	var text string
	if json.Unmarshal(content, &text) == nil {
		w.add(who, text)
		return
	}
	var parts []object
	if json.Unmarshal(content, &parts) != nil {
		return
	}
	for _, p := range parts {
		switch p.Type {
		case "tool_use":
			w.add("call "+p.Name, string(p.Input))
		case "tool_result":
			w.parts("result", p.Content)
		case "text", "input_text", "output_text":
			w.add(who, p.Text)
		}
	}
}

func (w *words) message(o *object) {
	switch {
	case o.Type == "function_call":
		w.add("call "+o.Name, o.Arguments)
	case o.Type == "function_call_output":
		w.parts("result", o.Output)
	case o.Role == "developer":
		w.parts("system", o.Content)
	case o.Role == "tool":
		w.parts("result", o.Content)
	case o.Role != "":
		w.parts(o.Role, o.Content)
	}
	for _, c := range o.ToolCalls {
		w.add("call "+c.Function.Name, c.Function.Arguments)
	}
}

// generation is what a body asks for.
type generation struct {
	words   words
	model   string
	tools   []string
	members map[string]json.RawMessage
}

func parseGeneration(t *testing.T, s *sent) *generation {
	t.Helper()
	g := &generation{}
	var body struct {
		Model                string
		System, Instructions json.RawMessage
		Messages, Input      []object
		Tools                []struct {
			object
			Function object
			Tools    []object
		}
	}
	if err := errors.Join(json.Unmarshal(s.body, &body), json.Unmarshal(s.body, &g.members)); err != nil {
		t.Fatalf("%s: %v in %.300s", s.path, err, s.body)
	}
	g.model = body.Model
	g.words.parts("system", body.System)
	g.words.parts("system", body.Instructions)
	for _, list := range [][]object{body.Messages, body.Input} {
		for i := range list {
			g.words.message(&list[i])
		}
	}
	for _, tool := range body.Tools {
		for _, inner := range tool.Tools { // of a namespace
			g.tools = append(g.tools, tool.Name+"__"+inner.Name)
		}
		switch {
		case tool.Type == "namespace":
		case tool.Function.Name+tool.Name != "":
			g.tools = append(g.tools, tool.Function.Name+tool.Name)
		default: // one that a provider runs
			g.tools = append(g.tools, "tools."+tool.Type)
		}
	}
	return g
}

// carried lists the members that go out under another name, and those that tell
// the gateway itself something.
func carried() map[string]string {
	return map[string]string{
		"input": "messages", "instructions": "messages", "system": "messages", "metadata": "user", "output_config": "reasoning_effort", "stream_options": "stream",
		"store": "", "include": "", "client_metadata": "", "reasoning": "", "prompt_cache_key": "", "parallel_tool_calls": "tool_choice",
	}
}

// compareSent compares what an agent sent with what the upstream got: no message,
// tool or member is lost, unless the answer's headers say so.
func compareSent(t *testing.T, asked, got []sent) {
	t.Helper()
	if len(asked) < 2 || len(asked) != len(got) {
		t.Fatalf("the agent asked %d times, and the upstream was asked %d times", len(asked), len(got))
	}
	for i := range asked {
		a := parseGeneration(t, &asked[i])
		n := slices.IndexFunc(got, func(g sent) bool { // an agent may ask for two things at a time
			words := parseGeneration(t, &g).words
			return slices.Equal(a.words.who, words.who) && slices.Equal(a.words.said, words.said)
		})
		if n < 0 {
			t.Errorf("%s: the upstream did not get %q %q, but\n%q", asked[i].path, a.words.who, a.words.said, parseGeneration(t, &got[min(i, len(got)-1)]).words)
			continue
		}
		compareGeneration(t, &asked[i], a, &got[n])
		got = slices.Delete(got, n, n+1)
	}
}

func compareGeneration(t *testing.T, asked *sent, a *generation, got *sent) {
	t.Helper()
	g := parseGeneration(t, got)
	if want := map[string]string{"open": "org/open-1", "claude-sonnet-4-5": "claude-sonnet-4-5-20250929"}[a.model]; g.model != want {
		t.Errorf("%s for %s went to the model %s, want %s", asked.path, a.model, g.model, want)
	}
	if strings.HasSuffix(asked.path, "/messages") && strings.HasSuffix(got.path, "/messages") { // passed on as it is
		delete(a.members, "model")
		delete(g.members, "model")
		if !reflect.DeepEqual(a.members, g.members) {
			t.Errorf("messages changed on the way to an endpoint that speaks them:\n%s\n%s", asked.body, got.body)
		}
		return
	}
	dropped := strings.Split(asked.dropped, ", ")
	if name := "system." + billing; bytes.Contains(asked.body, []byte(`"`+billing)) && !slices.Contains(dropped, name) {
		t.Errorf("%s: the note about billing is lost in silence; dropped: %s", asked.path, asked.dropped)
	}
	a.tools = slices.DeleteFunc(a.tools, func(name string) bool { return slices.Contains(dropped, name) })
	if !slices.Equal(a.tools, g.tools) {
		t.Errorf("%s has the tools %q, and the upstream got %q; dropped: %s", asked.path, a.tools, g.tools, asked.dropped)
	}
	for name := range a.members {
		to, known := carried()[name]
		if _, same := g.members[name]; same || slices.Contains(dropped, name) || known && (to == "" || slices.Contains(dropped, to)) {
			continue
		}
		if _, ok := g.members[to]; !ok {
			t.Errorf("%s: the member %s is lost in silence on the way to %s; dropped: %s", asked.path, name, got.path, asked.dropped)
		}
	}
}
