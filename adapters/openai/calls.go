package openai

import (
	"hash/fnv"
	"slices"
	"strconv"

	"github.com/hybridinference/gateway/adapters/chat"
)

// calls numbers the tool calls of an answer. Servers repeat ids, leave out
// indexes or reuse them; clients get each call under its own index, with id
// and name in its first fragment only and never without arguments.
type calls struct {
	open []call
	// unnamed means that a call of the current event needs an id of our own.
	unnamed bool
}

type call struct {
	choice int
	// index is the client's number, upstream the server's, -1 if it gave none.
	index, upstream int
	// id is the server's, "" if it gave none; ours means that we gave one.
	id                        string
	ours, named, hasArguments bool
}

// place gives a fragment its index and strips what was sent before. In a unary
// message each element is a call of its own.
func (s *calls) place(choice int, t *chat.ToolDelta, unary bool) {
	var c *call
	if !unary {
		c = s.find(choice, t)
	}
	if c == nil {
		s.open = append(s.open, call{choice: choice, index: s.count(choice), upstream: t.Index, id: string(t.ID)})
		c = &s.open[len(s.open)-1]
		s.unnamed = s.unnamed || t.ID == nil
	} else {
		t.ID = nil
	}
	if c.named {
		t.Name = nil
	}
	t.Index = c.index
	c.named = c.named || t.Name != nil
	c.hasArguments = c.hasArguments || len(t.Arguments) > 2 || t.Custom
}

// find returns the call that a fragment continues, nil if it begins one.
func (s *calls) find(choice int, t *chat.ToolDelta) *call {
	for i := len(s.open) - 1; i >= 0; i-- {
		c := &s.open[i]
		switch {
		case c.choice != choice:
		case t.ID != nil && c.id == string(t.ID):
			return c
		case t.ID != nil && (c.id != "" || t.Index < 0):
			// another call, even under an index that was used before
		case t.Index < 0 && t.ID == nil && t.Name != nil && c.named:
			return nil // only a beginning has a name
		case t.Index < 0, c.upstream == t.Index:
			return c
		}
	}
	return nil
}

func (s *calls) count(choice int) int {
	n := 0
	for i := range s.open {
		if s.open[i].choice == choice {
			n++
		}
	}
	return n
}

func (s *calls) any(choice int) bool { return s.count(choice) > 0 }

// complete appends "{}" for each call of the choice that came without arguments.
func (s *calls) complete(choice int, out []chat.ToolDelta) []chat.ToolDelta {
	for i := range s.open {
		if c := &s.open[i]; c.choice == choice && !c.hasArguments {
			c.hasArguments = true
			none := chat.Literal(`"{}"`)
			if at := slices.IndexFunc(out, func(t chat.ToolDelta) bool { return t.Index == c.index }); at >= 0 {
				out[at].Arguments = none
				continue
			}
			out = append(out, chat.ToolDelta{Index: c.index, Arguments: none})
		}
	}
	return out
}

// nameCalls gives ids to the calls that begin in these events without one. The
// id is made from the answer's, so that it is the same however often the
// answer is read, and another for each answer.
func (d *decoder) nameCalls(events []chat.Event, answer []byte) {
	d.calls.unnamed = false
	h := fnv.New64a()
	_, _ = h.Write(answer)
	seed := strconv.FormatUint(h.Sum64(), 36)
	for i := range events {
		ev := &events[i]
		for j := range ev.Tools {
			t := &ev.Tools[j]
			if t.ID == nil && d.calls.claim(ev.Choice, t.Index) {
				t.ID = chat.Literal(`"call_` + seed + "_" + strconv.Itoa(ev.Choice) + "_" + strconv.Itoa(t.Index) + `"`)
			}
		}
	}
}

// claim reports whether a call still lacks an id, and marks it as having one.
func (s *calls) claim(choice, index int) bool {
	for i := range s.open {
		if c := &s.open[i]; c.choice == choice && c.index == index {
			missing := c.id == "" && !c.ours
			c.ours = c.ours || missing
			return missing
		}
	}
	return false
}
