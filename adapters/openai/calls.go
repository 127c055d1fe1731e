package openai

import "github.com/hybridinference/gateway/adapters/chat"

// calls numbers the tool calls of an answer. Servers repeat ids, leave out
// indexes or reuse them; clients get each call under its own index, with id
// and name in its first fragment only and never without arguments.
type calls struct{ open []call }

type call struct {
	choice int
	// index is the client's number, upstream the server's.
	index, upstream int
	id              string
	hasArguments    bool
}

// place gives a fragment its index and strips what was said before.
func (s *calls) place(choice int, t *chat.ToolDelta) {
	c := s.find(choice, t)
	if c == nil {
		s.open = append(s.open, call{choice: choice, index: s.count(choice), upstream: t.Index, id: string(t.ID)})
		c = &s.open[len(s.open)-1]
	} else {
		t.ID, t.Name = nil, nil
	}
	t.Index = c.index
	c.hasArguments = c.hasArguments || len(t.Arguments) > 2
}

// find returns the call that a fragment continues, nil if it begins one.
func (s *calls) find(choice int, t *chat.ToolDelta) *call {
	for i := len(s.open) - 1; i >= 0; i-- {
		c := &s.open[i]
		if c.choice != choice {
			continue
		}
		switch {
		case t.ID != nil && c.id == string(t.ID):
			return c
		case t.ID != nil && (c.id != "" || t.Index < 0):
			continue // another call, even under an index that was used before
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
			out = append(out, chat.ToolDelta{Index: c.index, Arguments: chat.Literal(`"{}"`)})
		}
	}
	return out
}
