package wire

import "slices"

// The policies of a model: how the endpoint of a request is chosen.
const (
	PolicyWeighted  = "weighted"   // at random, by weight
	PolicyPriority  = "priority"   // the lowest priority with room, by weight within it
	PolicyLeastBusy = "least_busy" // the less loaded of two
	PolicyLatency   = "latency"    // the faster of two to the first token
	PolicyCost      = "cost"       // the cheapest for this request
)

// The affinities of a model: which requests keep to one endpoint, for the sake
// of its prompt cache.
const (
	AffinitySession = "session" // those of one session
	AffinityPrefix  = "prefix"  // those, else those whose prompts begin alike
	AffinityNone    = "none"
)

// Policies lists the policies, the default first.
func Policies() []string {
	return []string{PolicyWeighted, PolicyPriority, PolicyLeastBusy, PolicyLatency, PolicyCost}
}

// Affinities lists the affinities.
func Affinities() []string { return []string{AffinityPrefix, AffinitySession, AffinityNone} }

// Selection is how the endpoint of a model's request is chosen. "" is the default.
type Selection struct {
	Policy   string `json:"policy,omitempty"`
	Affinity string `json:"affinity,omitempty"`
}

// Known reports whether both words are known, or "".
func (s Selection) Known() bool {
	return (s.Policy == "" || slices.Contains(Policies(), s.Policy)) && (s.Affinity == "" || slices.Contains(Affinities(), s.Affinity))
}

// Or fills in what is not given.
func (s Selection) Or(other Selection) Selection {
	if s.Policy == "" {
		s.Policy = other.Policy
	}
	if s.Affinity == "" {
		s.Affinity = other.Affinity
	}
	return s
}

// Effective fills in the defaults. Policies that go by measurements keep
// sessions together only: all other requests go where there is room.
func (s Selection) Effective() Selection {
	s = s.Or(Selection{Policy: PolicyWeighted})
	if s.Policy == PolicyLeastBusy || s.Policy == PolicyLatency {
		return s.Or(Selection{Affinity: AffinitySession})
	}
	return s.Or(Selection{Affinity: AffinityPrefix})
}
