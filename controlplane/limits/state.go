package limits

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"
)

// State is what a granter leaves to its successor.
type State struct {
	// Empty says that there is none: it was lost, or nothing was ever granted.
	Empty bool
	// Epoch is the greatest that there was.
	Epoch uint64
	// Claimed is when the daemon before last wrote that it grants, zero if that is
	// not known.
	Claimed time.Time
	Nodes   map[string]nodeDoc
	Spent   spentDoc
}

// nodeDoc is what a node may hold at most. Entries are counter, period and
// amount, one after the other.
type nodeDoc struct {
	Instance uint64   `json:"instance"`
	Entries  []uint64 `json:"entries"`
}

// spentDoc is what was used by nodes that are gone. The period of a sliding
// window's entry is for how many milliseconds it counted when it was written.
type spentDoc struct {
	Entries []uint64 `json:"entries"`
	// age is how long ago that was.
	age time.Duration
}

type entry struct {
	counter, period uint64
	amount          int64
}

func (d *nodeDoc) entries() iter.Seq2[int, entry]  { return entries(d.Entries) }
func (d *spentDoc) entries() iter.Seq2[int, entry] { return entries(d.Entries) }

func entries(flat []uint64) iter.Seq2[int, entry] {
	return func(yield func(int, entry) bool) {
		for i := 0; i+2 < len(flat); i += 3 {
			if !yield(i, entry{flat[i], flat[i+1], int64(flat[i+2])}) { //nolint:gosec // it was an int64
				return
			}
		}
	}
}

// Documents of the state; a node's is docNode + its name.
const (
	docSpent = "spent"
	docNode  = "node."
)

// Document is a part of the state.
type Document struct {
	Name string
	Data []byte
	// Void says that there is nothing in it: it need not stay.
	Void bool
	// Age is how long ago it was kept.
	Age time.Duration
}

// Unkept returns the documents that have changed so much that they have to be
// kept before any reply is sent that was made from them.
func (g *Granter) Unkept() (list []Document, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	add := func(name string, v any, void bool) {
		data, failed := json.Marshal(v)
		if failed != nil {
			err = fmt.Errorf("encode %s: %w", name, failed)
		}
		list = append(list, Document{Name: name, Data: data, Void: void})
	}
	if g.dirty { // before nodes: what is moved there from a node must not be missing for a moment
		g.dirty = false
		add(docSpent, g.spentDocument(), false)
	}
	for name := range g.removed {
		if g.nodes[name] == nil || !g.nodes[name].dirty {
			add(docNode+name, nodeDoc{}, true)
		}
	}
	clear(g.removed)
	for _, n := range g.unkept {
		n.dirty = false
		if g.nodes[n.name] != n {
			continue
		}
		d := nodeDoc{Instance: n.instance, Entries: make([]uint64, 0, 3*len(n.shares))}
		for id, s := range n.shares {
			if s.ceiling > 0 {
				d.Entries = append(d.Entries, id, s.period, uint64(s.ceiling)) //nolint:gosec // positive
			}
		}
		add(docNode+n.name, d, len(d.Entries) == 0)
	}
	g.unkept = g.unkept[:0]
	return list, err
}

// Everything marks all documents as not kept, as for a store that has lost them.
func (g *Granter) Everything() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dirty = true
	for _, n := range g.nodes {
		g.keep(n)
	}
}

// spentDocument is what nodes that are gone have used; g.mu is held.
func (g *Granter) spentDocument() spentDoc {
	var d spentDoc
	for id, c := range g.counters {
		period, amount := c.period, c.gone
		if n := len(c.fading); n > 0 {
			period, amount = uint64(max(1, c.fading[n-1].until.Sub(g.now).Milliseconds())), c.faded //nolint:gosec // positive
		}
		if amount > 0 || c.inLedger() && c.based {
			d.Entries = append(d.Entries, id, period, uint64(amount)) //nolint:gosec // not negative
		}
	}
	return d
}

// Load reads documents that were kept.
func (s *State) Load(d Document) error {
	if d.Name == docSpent {
		s.Spent.age = d.Age
		return json.Unmarshal(d.Data, &s.Spent)
	}
	name, ok := strings.CutPrefix(d.Name, docNode)
	if !ok {
		return nil // of a newer version
	}
	var doc nodeDoc
	if err := json.Unmarshal(d.Data, &doc); err != nil {
		return err
	}
	if len(doc.Entries) == 0 {
		return nil
	}
	if s.Nodes == nil {
		s.Nodes = map[string]nodeDoc{}
	}
	s.Nodes[name] = doc
	return nil
}
