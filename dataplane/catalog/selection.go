package catalog

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hybridinference/gateway/dataplane/problem"
	"github.com/hybridinference/gateway/dataplane/upstream"
	"github.com/hybridinference/gateway/shared/price"
	"github.com/hybridinference/gateway/shared/wire"
)

// selection is what the query of GET models asks for.
type selection struct {
	filters       []func(*Model) bool
	order         func(a, b *Model) int
	offset, limit int
	paged         bool
}

func (s *selection) keeps(m *Model) bool {
	for _, keep := range s.filters {
		if !keep(m) {
			return false
		}
	}
	return true
}

// page cuts out the page that was asked for; next is the offset of the one
// after it, -1 if there is none.
func (s *selection) page(list []*Model) (page []*Model, next int) {
	if !s.paged {
		return list, -1
	}
	list = list[min(s.offset, len(list)):]
	if len(list) <= s.limit {
		return list, -1
	}
	return list[:s.limit], s.offset + s.limit
}

// newSelection reads a query. modality is which output models have unless
// another is asked for.
func newSelection(query url.Values, modality string) (*selection, *problem.Problem) {
	s := &selection{limit: 500}
	for _, read := range []func(url.Values) *problem.Problem{s.readPage, s.readNumbers, s.readChoices, s.readSort} {
		if p := read(query); p != nil {
			return nil, p
		}
	}
	s.readLists(query, modality)
	return s, nil
}

func (s *selection) keep(f func(*Model) bool) { s.filters = append(s.filters, f) }

func (s *selection) readPage(query url.Values) *problem.Problem {
	const most = 1000
	offset, hasOffset, p := number(query, "offset", 0)
	if p != nil || offset != float64(int(offset)) {
		return badQuery("offset", "an integer of at least 0")
	}
	limit, hasLimit, p := number(query, "limit", 1)
	if p != nil || limit > most || limit != float64(int(limit)) {
		return badQuery("limit", "an integer from 1 to 1000")
	}
	s.offset, s.paged = int(offset), hasOffset || hasLimit
	if hasLimit {
		s.limit = int(limit)
	}
	return nil
}

// readNumbers reads the bounds. Prices are in USD per million tokens.
func (s *selection) readNumbers(query url.Values) *problem.Problem {
	const million = 1e6 // pico-dollars a token in a dollar per million
	now := time.Now()
	prompt := func(m *Model) float64 { return float64(m.Price.Now(now).Price[price.Prompt]) / million }
	completion := func(m *Model) float64 { return float64(m.Price.Now(now).Price[price.Completion]) / million }
	age := func(m *Model) float64 { return time.Since(time.Unix(m.Created, 0)).Hours() / 24 }
	for _, b := range [...]struct {
		name  string
		value func(*Model) float64
		most  bool
	}{
		{"context", func(m *Model) float64 { return float64(m.ContextLength) }, false},
		{"min_price", prompt, false},
		{"max_price", prompt, true},
		{"min_output_price", completion, false},
		{"max_output_price", completion, true},
		{"min_age_days", age, false},
		{"max_age_days", age, true},
	} {
		bound, ok, p := number(query, b.name, 0)
		switch {
		case p != nil:
			return p
		case ok && b.most:
			s.keep(func(m *Model) bool { return b.value(m) <= bound })
		case ok:
			s.keep(func(m *Model) bool { return b.value(m) >= bound })
		}
	}
	return s.readUnknown(query)
}

// readUnknown reads the bounds of what the gateway does not know of any model:
// none is within them.
func (s *selection) readUnknown(query url.Values) *problem.Problem {
	for _, name := range []string{"intelligence_index", "coding_index", "agentic_index", "tool_success_rate"} {
		for _, end := range []string{"min_", "max_"} {
			if _, ok, p := number(query, end+name, 0); p != nil {
				return p
			} else if ok {
				s.keep(func(*Model) bool { return false })
			}
		}
	}
	return nil
}

// readChoices reads what may have certain values only.
func (s *selection) readChoices(query url.Values) *problem.Problem {
	none := func(*Model) bool { return false }
	for _, c := range [...]struct {
		name   string
		values []string
		keep   func(value string) func(*Model) bool
	}{
		// Of these the catalog says nothing.
		{"category", []string{"programming", "roleplay", "marketing", "marketing/seo", "technology", "science", "translation", "legal", "finance", "health", "trivia", "academia"}, func(string) func(*Model) bool { return none }},
		{"region", []string{"eu", "us"}, func(string) func(*Model) bool { return none }},
		{"distillable", []string{"true", "false"}, func(value string) func(*Model) bool {
			return func(*Model) bool { return value == "false" }
		}},
		{"zdr", []string{"true"}, func(string) func(*Model) bool {
			return func(m *Model) bool {
				return slices.ContainsFunc(m.Endpoints, func(e *Endpoint) bool { return e.ZDR })
			}
		}},
		{"use_rss", []string{"false"}, nil},
	} {
		value := query.Get(c.name)
		if value == "" {
			continue
		}
		if !slices.Contains(c.values, value) {
			return badQuery(c.name, "one of "+strings.Join(c.values, ", "))
		}
		if c.keep != nil {
			s.keep(c.keep(value))
		}
	}
	return nil
}

// readLists reads what takes several values, separated by commas.
func (s *selection) readLists(query url.Values, modality string) {
	list := func(name string) []string {
		return strings.FieldsFunc(strings.ToLower(query.Get(name)), func(ch rune) bool { return ch == ',' || ch == ' ' })
	}
	outputs := list("output_modalities")
	if len(outputs) == 0 {
		outputs = []string{modality}
	}
	if !slices.Contains(outputs, "all") {
		s.keep(func(m *Model) bool { return slices.ContainsFunc(outputs, m.Answers) })
	}
	for _, want := range list("input_modalities") {
		s.keep(func(m *Model) bool { return slices.Contains(m.InputModalities, want) })
	}
	for _, want := range list("supported_parameters") {
		s.keep(func(m *Model) bool { return slices.Contains(m.Parameters, want) })
	}
	if q := strings.ToLower(query.Get("q")); q != "" {
		s.keep(func(m *Model) bool { return strings.Contains(strings.ToLower(m.ID+" "+m.Name), q) })
	}
	if archs := list("arch"); len(archs) > 0 {
		s.keep(func(m *Model) bool {
			return slices.ContainsFunc(archs, func(a string) bool { return strings.HasPrefix(strings.ToLower(m.Group), a) })
		})
	}
	if authors := list("model_authors"); len(authors) > 0 {
		s.keep(func(m *Model) bool { return slices.Contains(authors, author(m)) })
	}
	if providers := strings.Split(query.Get("providers"), ","); providers[0] != "" {
		s.keep(func(m *Model) bool {
			return slices.ContainsFunc(m.Endpoints, func(e *Endpoint) bool {
				return slices.ContainsFunc(providers, func(p string) bool { return e.Named(wire.Slug(p)) })
			})
		})
	}
}

// author is the first part of a model's id, or who the catalog says owns it.
func author(m *Model) string {
	if name, _, ok := strings.Cut(m.ID, "/"); ok {
		return strings.ToLower(name)
	}
	return strings.ToLower(m.OwnedBy)
}

// readSort reads the order; without one it is the catalog's.
func (s *selection) readSort(query url.Values) *problem.Problem {
	now := time.Now()
	cost := func(m *Model) float64 { return m.Price.Now(now).PerToken() }
	by := func(value func(*Model) float64, sign int) func(a, b *Model) int {
		return func(a, b *Model) int { return sign * cmp.Compare(value(a), value(b)) }
	}
	switch name := query.Get("sort"); name {
	case "":
	case "pricing-low-to-high":
		s.order = by(cost, 1)
	case "pricing-high-to-low":
		s.order = by(cost, -1)
	case "context-high-to-low":
		s.order = by(func(m *Model) float64 { return float64(m.ContextLength) }, -1)
	case "newest":
		s.order = by(func(m *Model) float64 { return float64(m.Created) }, -1)
	case "throughput-high-to-low":
		s.order = by(func(m *Model) float64 { return -fastest(m, now) }, 1)
	case "latency-low-to-high":
		s.order = by(func(m *Model) float64 { return soonest(m, now) }, 1)
	case "most-popular", "top-weekly":
		s.order = by(func(m *Model) float64 { return requests(m, now) }, -1)
	case "intelligence-high-to-low", "coding-high-to-low", "agentic-high-to-low", "design-arena-elo-high-to-low":
		// No model has a score, and those without stay in their order.
	default:
		return badQuery("sort", "pricing-low-to-high, pricing-high-to-low, context-high-to-low, throughput-high-to-low, latency-low-to-high, most-popular, top-weekly or newest")
	}
	return nil
}

// fastest is the best median throughput of a model's endpoints, 0 if unknown.
func fastest(m *Model, now time.Time) float64 {
	best := 0.0
	for _, e := range m.Endpoints {
		if p, ok := e.State.Stats.Throughput(now, upstream.HalfHour); ok {
			best = max(best, p.P50)
		}
	}
	return best
}

// soonest is the best median latency, more than any if unknown.
func soonest(m *Model, now time.Time) float64 {
	best := 1e18
	for _, e := range m.Endpoints {
		if p, ok := e.State.Stats.Latency(now, upstream.HalfHour); ok {
			best = min(best, p.P50)
		}
	}
	return best
}

// requests counts what a model has answered today at this node.
func requests(m *Model, now time.Time) float64 {
	n := uint64(0)
	for _, e := range m.Endpoints {
		n += e.State.Stats.Requests(now)
	}
	return float64(n)
}

// number reads a query's number from low on; absent gives false.
func number(query url.Values, name string, low float64) (float64, bool, *problem.Problem) {
	raw := query.Get(name)
	if raw == "" || raw == "null" {
		return 0, false, nil
	}
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || !(f >= low) {
		return 0, false, badQuery(name, "a number of at least "+strconv.FormatFloat(low, 'g', -1, 64))
	}
	return f, true, nil
}

func badQuery(name, want string) *problem.Problem {
	return problem.New(400, "invalid_request", name+": must be "+want)
}
