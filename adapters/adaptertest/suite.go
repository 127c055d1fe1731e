// Package adaptertest is the conformance suite that every adapter runs: each
// recorded answer of its provider, cut and framed in every way that a network
// may choose, has to give the same events, and each recorded request is built
// again from a client's request.
//
// The cases are the recordings below $GATEWAY_FIXTURES/<provider>/ and the
// package's own below testdata/<provider>/, which are there without the
// recordings, too. A case is a folder with meta.json, request.json and
// response.json or stream.txt.
package adaptertest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/hybridinference/gateway/adapters/codec"
)

// Harness describes one adapter to the suite.
type Harness struct {
	// Provider is the name of the folder that has the cases.
	Provider string
	// New makes the adapter, as the registry does.
	New func(codec.Settings) (codec.Adapter, error)
	// Settings returns the endpoint of a case. Model is best the case's.
	Settings func(Case) codec.Settings
	// Wants says what each case has to give, by the case's name. A case
	// without an entry fails, and so does a recorded one's entry without a case.
	Wants map[string]Want
	// Ignore names cases that are not an answer of this adapter, with the reason.
	Ignore map[string]string
}

// Run runs the suite and writes one line that counts the passed cases.
func Run(t *testing.T, h Harness) {
	t.Helper()
	cases := loadCases(t, h.Provider)
	passed := 0
	for _, c := range cases {
		if _, ok := h.Ignore[c.Name]; ok {
			continue
		}
		if t.Run(c.Name, func(t *testing.T) { h.run(t, c) }) {
			passed++
		}
	}
	h.stale(t, cases)
	t.Run("every status has its class", h.statuses)
	t.Run("rubbish is a fault", h.rubbish)
	total := len(cases) - len(h.Ignore)
	if fixtures() == "" {
		total = len(cases)
	}
	_, _ = fmt.Fprintf(os.Stdout, "fixtures: %s %d/%d cases passed\n", h.Provider, passed, total)
}

func (h Harness) run(t *testing.T, c Case) {
	want, ok := h.Wants[c.Name]
	if !ok {
		t.Fatal("no Want for this case")
	}
	a := h.adapter(t, c)
	if want.Client != "" {
		checkRequest(t, a, c, want)
	}
	switch {
	case c.Status != 200:
		checkFault(t, a.Fault(c.Status, c.Body), want, c.Status)
	case c.Stream:
		checkStream(t, a, c, want)
	default:
		checkBody(t, a, c, want)
	}
}

func (h Harness) adapter(t testing.TB, c Case) codec.Adapter {
	t.Helper()
	a, err := h.New(h.Settings(c))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stale reports expectations for cases that do not exist.
func (h Harness) stale(t *testing.T, cases []Case) {
	if fixtures() == "" {
		return // the expectations for recordings are not used in this run
	}
	for _, name := range slices.Concat(slices.Sorted(maps.Keys(h.Wants)), slices.Sorted(maps.Keys(h.Ignore))) {
		if !slices.ContainsFunc(cases, func(c Case) bool { return c.Name == name }) {
			t.Errorf("%s: there is no such case", name)
		}
	}
}
