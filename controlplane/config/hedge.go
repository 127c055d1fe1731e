package config

import (
	"regexp"
	"strconv"
	"time"

	"github.com/hybridinference/gateway/shared/wire"
)

const (
	defaultHedgeBudget = 0.02
	// hedgeAfterP95 is the word for the model's own 95th percentile.
	hedgeAfterP95 = "p95"
)

var percentage = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?) ?%$`)

func hedgeKeys() []key[wire.Hedge] {
	return []key[wire.Hedge]{
		{"after", readHedgeAfter},
		{"budget", readHedgeBudget},
	}
}

func readHedge(v value, m *modelEntry) {
	h := wire.Hedge{Budget: defaultHedgeBudget}
	if read(v, hedgeKeys(), &h) {
		m.Hedge = &h
	}
}

// readHedgeAfter reads p95 or a duration.
func readHedgeAfter(v value, h *wire.Hedge) {
	const what = hedgeAfterP95 + ", or seconds or a duration such as 800ms, from 1ms to 15m"
	x, ok := v.expanded(what)
	if !ok || x.text == hedgeAfterP95 {
		return
	}
	d, err := time.ParseDuration(x.text)
	if decimalText.MatchString(x.text) {
		d, err = time.ParseDuration(x.text + "s")
	}
	if err != nil || d < time.Millisecond || d > maxQueueWait {
		v.problemf("must be %s, got %s", what, v.got(x.text))
		return
	}
	h.AfterMS = d.Milliseconds()
}

// readHedgeBudget reads a share of the requests in percent.
func readHedgeBudget(v value, h *wire.Hedge) {
	const what = "a share of the model's requests such as 2%, above 0% and up to 100%"
	x, ok := v.expanded(what)
	if !ok {
		return
	}
	share := 0.0
	if m := percentage.FindStringSubmatch(x.text); m != nil {
		share, _ = strconv.ParseFloat(m[1], 64) // the pattern is that of a number
	}
	if share <= 0 || share > 100 {
		v.problemf("must be %s, got %s", what, v.got(x.text))
		return
	}
	h.Budget = share / 100
}
